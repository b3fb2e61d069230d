"""What the program's tests share: running it, and reading and writing its files without NumPy."""

import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT / "samples" / "data"
SHARED = pathlib.Path(os.environ.get("INTMILL_SHARED", ROOT.parent / "shared"))
MODEL = DATA / "fashion_cnn.onnx"
TEST_IMAGES = DATA / "t10k-images-idx3-ubyte.gz"
TEST_LABELS = DATA / "t10k-labels-idx1-ubyte.gz"
CALIBRATION_IMAGES = DATA / "calib2048-images-idx3-ubyte.gz"

PROGRAM = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None


class ProgramTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="intmill-cli-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                              cwd=self.folder)

    def succeeds(self, *arguments):
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json_of(self, *arguments):
        text = self.succeeds(*arguments, "--json")
        self.assertEqual(text.count("\n"), 1, text)
        return json.loads(text)

    def fails(self, code, message, *arguments):
        """It exits with `code`, prints nothing as result, and one line of error with `message`."""
        done = self.run_program(*arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        lines = [line for line in done.stderr.splitlines() if not line.startswith("intmill: note:")]
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("intmill: "), lines[0])
        self.assertIn(message, lines[0])

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())


def write_npy(path, descr, shape, content):
    text = repr({"descr": descr, "fortran_order": False, "shape": tuple(shape)})
    text = text.ljust(64 * ((len(text) + 10) // 64 + 1) - 11) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + content)
    return path


def read_npz(path):
    """{name: (descr, shape, bytes)}, checksums verified."""
    arrays = {}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            content = archive.read(name)
            length, = struct.unpack_from("<H", content, 8)
            header = content[10:10 + length].decode()
            shape = re.search(r"'shape': \(([0-9, ]*)\)", header)[1]
            arrays[name.removesuffix(".npy")] = (
                re.search(r"'descr': '([^']*)'", header)[1],
                tuple(int(n) for n in shape.replace(" ", "").split(",") if n),
                content[10 + length:])
    return arrays


def main():
    if PROGRAM is None or not PROGRAM.exists():
        sys.exit("usage: test_NAME.py PROGRAM")
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
