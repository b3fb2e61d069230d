#!/usr/bin/env python3
"""The comparison on small models, and the small models themselves: test_bench.py BENCH_COMPARE."""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

import make_models
from cnn import MOBILENETV2

CHECK = "import onnx, sys\nfor path in sys.argv[1:]: onnx.checker.check_model(path, full_check=True)"
PROGRAM = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None


def python_with_onnx():
    """Debian's python3-onnx belongs to Debian's Python, which need not be the one that runs this."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import onnx"], capture_output=True).returncode == 0:
            return python
    return None


def encoder_macs(layers, tokens, width):
    projections = 4 * tokens * width * width
    attention = 2 * tokens * tokens * width
    feed_forward = 2 * tokens * width * 4 * width
    return layers * (projections + attention + feed_forward)


def mobilenetv2_macs(size, stages, last, classes):
    size //= 2
    macs, cin = size * size * 32 * 3 * 9, 32
    for expand, cout, repeats, first_stride in stages:
        for i in range(repeats):
            hidden = cin * expand
            macs += size * size * cin * hidden if expand > 1 else 0
            size //= first_stride if i == 0 else 1
            macs += size * size * hidden * (9 + cout)
            cin = cout
    return macs + size * size * cin * last + last * classes


class Bench(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="intmill-bench-")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        assert make_models.main(["--small", str(cls.folder)]) == 0
        cls.models = sorted(cls.folder.glob("*.onnx"))

    def compare(self, *arguments):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                              cwd=self.folder)

    def test_models_are_valid_onnx(self):
        python = python_with_onnx()
        if python is None:
            self.skipTest("no python3-onnx")
        done = subprocess.run([python, "-c", CHECK, *map(str, self.models)], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_models_are_the_same_every_time(self):
        again = self.folder / "again"
        make_models.main(["--small", str(again), "yolo", "minilm_l6"])
        for path in again.iterdir():
            self.assertEqual(path.read_bytes(), (self.folder / path.name).read_bytes(), path.name)

    def test_an_unknown_model_is_refused(self):
        self.assertEqual(make_models.main([str(self.folder), "resnet51"]), 2)

    def test_every_model_runs_in_float_and_in_8_bits(self):
        # bench_compare exits with 1 when a model does not load, crashes, or its outputs are not
        # finite, and says so in "reasons".
        done = self.compare("--onnxruntime", "none.so", "--seconds", "0.01", "--samples", "2",
                            "--csv", "out.csv", "--json", "out.json", *self.models)
        result = json.loads((self.folder / "out.json").read_text())
        names = [model["model"] for model in result["models"]]
        self.assertEqual(names, [path.stem for path in self.models])
        for model in result["models"]:
            self.assertEqual(set(model["reasons"]), {"ort_f32", "ort_int8"}, model)
            self.assertGreater(model["intmill_f32_ms"], 0)
            self.assertGreaterEqual(model["intmill_int8_ms"], model["intmill_int8_min_ms"])
            self.assertGreater(model["intmill_int8_peak_mb"], 1)
            self.assertIsNone(model["ratio_int8"])
            self.assertIn(f"\n{model['model']} ", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.macs_are_right({model["model"]: model["macs"] for model in result["models"]})
        self.csv_equals(result["models"])

    def macs_are_right(self, macs):
        self.assertEqual(macs["vit_b16"], encoder_macs(2, 17, 64) + 64 * 10)
        self.assertEqual(macs["minilm_l6"], encoder_macs(2, 16, 48))
        self.assertEqual(macs["mobilenetv2"], mobilenetv2_macs(64, MOBILENETV2[:3], 128, 10))

    def csv_equals(self, models):
        rows = list(csv.DictReader((self.folder / "out.csv").open()))
        for row, model in zip(rows, models, strict=True):
            del model["reasons"]
            self.assertEqual(row.keys(), model.keys())
            for name, value in row.items():
                wanted = model[name]
                self.assertEqual(value, wanted) if name == "model" else \
                    self.assertEqual(float(value) if value else None, wanted)

    def test_a_model_that_is_not_there_has_a_reason(self):
        done = self.compare("--seconds", "0.01", "missing.onnx")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing, intmill_f32: ", done.stdout)

    def test_wrong_command_lines_exit_with_2(self):
        done = self.compare("--threads", "many", "x.onnx")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(done.stderr,
                         "bench_compare: --threads many: wanted a number; see --help\n")

    def test_help_tells_the_options(self):
        self.assertIn("--ort-int8 NAME=FILE", self.compare("--help").stdout)


if __name__ == "__main__":
    if PROGRAM is None or not PROGRAM.exists():
        sys.exit(__doc__)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
