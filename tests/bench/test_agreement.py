#!/usr/bin/env python3
"""Exported small models mean the same in ONNX Runtime: test_agreement.py PROGRAM ORT_VALUES [LIBRARY].

Skips where ONNX Runtime's header was not found or its library cannot be opened, and without python3-onnx.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

import make_models
from test_bench import python_with_onnx

HERE = pathlib.Path(__file__).parent
CHECKED = {"mobilenetv2": {"image": (1, 3, 64, 64)},
           "minilm_l6": {"embeddings": (1, 16, 48), "mask": (1, 1, 1, 16)}}
DRAW = """
import numpy, sys
path, *inputs = sys.argv[1:]
random = numpy.random.default_rng(1)
numpy.savez(path, **{name: random.standard_normal([int(d) for d in dims.split("x")]).astype(numpy.float32)
                     for name, dims in (i.split("=") for i in inputs)})
"""
if len(sys.argv) < 3:
    sys.exit(__doc__)
PROGRAM, ORT_VALUES, *LIBRARY = sys.argv[1:]
PYTHON = python_with_onnx()


class Agreement(unittest.TestCase):
    def test_every_layer_is_within_a_step(self):
        opened = subprocess.run([ORT_VALUES, *(LIBRARY or [""]), "/dev/null"], input="", capture_output=True, text=True)
        if "cannot open" in opened.stderr or "built without" in opened.stderr:
            self.skipTest(opened.stderr.strip())
        if PYTHON is None:
            self.skipTest("no python3-onnx")
        for name, inputs in CHECKED.items():
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="intmill-agreement-") as folder:
                self.agrees(pathlib.Path(folder), name, inputs)

    def agrees(self, folder, name, inputs):
        make_models.main(["--small", str(folder), name])
        data, model = folder / "in.npz", folder / "model.im"
        shapes = [f"{port}={'x'.join(map(str, dims))}" for port, dims in inputs.items()]
        subprocess.run([PYTHON, "-c", DRAW, data, *shapes], check=True)
        subprocess.run([PROGRAM, "quantize", folder / f"{name}.onnx", "--data", data, "-o", model, "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
        library = ["--onnxruntime", *LIBRARY] if LIBRARY else []
        done = subprocess.run([PYTHON, HERE / "agreement.py", *library, PROGRAM, ORT_VALUES, model, data],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        self.assertEqual(done.stdout.count("layers"), 3, done.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
