#!/usr/bin/env python3
"""Exported ONNX files: other people's checker takes them, and they say what the model said."""

import os
import shutil
import struct
import subprocess
import sys

from program import (CALIBRATION_IMAGES, MODEL, TEST_IMAGES, ProgramTest, main, read_npz)

QUANTIZE = ("--data", f"image={CALIBRATION_IMAGES}", "--samples", "64", "--scale", "1/255",
            "--threads", "1")
# Run by whichever Python has the onnx package. Answers what a test wants to know of the file.
CHECK = """
import sys, onnx
model = onnx.load(sys.argv[1])
onnx.checker.check_model(model)
types = {t.name: t.data_type for t in model.graph.initializer}
weights = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0] in types]
print(len(model.graph.node), model.opset_import[0].version, len(weights),
      sum(types[n.input[0]] == onnx.TensorProto.INT8 for n in weights))
"""


def python_with_onnx():
    """The interpreter of the tests, or the system's, where distributions put python3-onnx."""
    for python in (sys.executable, shutil.which("python3", path=os.defpath)):
        if python and subprocess.run([python, "-c", "import onnx.checker"], check=False,
                                     capture_output=True).returncode == 0:
            return python
    return None


class Export(ProgramTest):
    def quantize(self, *arguments):
        self.succeeds("quantize", MODEL, "-o", "fashion.im", *QUANTIZE, *arguments)

    def logits(self, model):
        self.succeeds("run", model, "-o", "out.npz", "--data", f"image={TEST_IMAGES}",
                      "--samples", "50", "--scale", "1/255", "--threads", "1")
        return read_npz(self.folder / "out.npz")["logits"]

    def check(self, path):
        """What onnx.checker lets pass: nodes, opset, weights behind DequantizeLinear, int8 ones."""
        python = python_with_onnx()
        if python is None:
            self.skipTest("no Python here has the onnx package")
        done = subprocess.run([python, "-c", CHECK, self.folder / path], check=False,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [int(word) for word in done.stdout.split()]

    def test_figures_are_those_of_the_file(self):
        self.quantize()
        figures = self.json_of("export", "fashion.im", "-o", "fashion.qdq.onnx")
        self.assertEqual(list(figures), ["input_bytes", "output_bytes", "nodes", "opset"])
        self.assertEqual(figures["input_bytes"], (self.folder / "fashion.im").stat().st_size)
        self.assertEqual(figures["output_bytes"],
                         (self.folder / "fashion.qdq.onnx").stat().st_size)
        self.assertLess(figures["output_bytes"], MODEL.stat().st_size / 3)
        self.assertEqual(self.files(), ["fashion.im", "fashion.qdq.onnx"])
        nodes, opset, _, _ = self.check("fashion.qdq.onnx")
        self.assertEqual((nodes, opset), (figures["nodes"], figures["opset"]))

    def test_the_checker_takes_every_kind_of_model(self):
        self.succeeds("export", MODEL, "-o", "float.onnx")
        self.assertEqual(self.check("float.onnx")[2], 0)
        for switches in ((), ("--per-tensor",), ("--symmetric",)):
            self.quantize(*switches)
            self.succeeds("export", "fashion.im", "-o", "static.onnx")
            _, _, weights, in_8_bits = self.check("static.onnx")
            # Two convolutions and two dense layers; their biases are 32 bits.
            self.assertEqual((weights, in_8_bits), (8, 4))
        self.succeeds("quantize", MODEL, "-o", "dynamic.im", "--dynamic")
        self.succeeds("export", "dynamic.im", "-o", "dynamic.onnx")
        self.assertEqual(self.check("dynamic.onnx")[3], 2)
        self.succeeds("quantize", MODEL, "-o", "bf16.im", "--precision", "bf16-compute")
        self.succeeds("export", "bf16.im", "-o", "bf16.onnx")
        self.assertEqual(self.check("bf16.onnx")[3], 0)

    def test_exported_models_compute_the_same(self):
        self.quantize()
        self.succeeds("export", "fashion.im", "-o", "fashion.onnx")
        found, wanted = self.logits("fashion.onnx"), self.logits("fashion.im")
        self.assertEqual(struct.unpack_from("<10f", wanted[2]), struct.unpack_from("<10f", found[2]))
        self.assertEqual(found, wanted)

    def test_same_model_same_bytes(self):
        self.quantize()
        for name in ("one.onnx", "two.onnx"):
            self.succeeds("export", "fashion.im", "-o", name)
        one = (self.folder / "one.onnx").read_bytes()
        self.assertEqual(one, (self.folder / "two.onnx").read_bytes())
        # Onto itself: the file is replaced when all of it is written.
        self.succeeds("export", "two.onnx", "-o", "two.onnx")
        self.check("two.onnx")

    def test_what_fails_leaves_the_old_file(self):
        (self.folder / "old.onnx").write_text("precious")
        (self.folder / "text.im").write_text("hello")
        self.fails(1, "text.im", "export", "text.im", "-o", "old.onnx")
        self.fails(1, "absent.im", "export", "absent.im", "-o", "old.onnx")
        self.assertEqual((self.folder / "old.onnx").read_text(), "precious")
        self.fails(1, "no/such/folder", "export", MODEL, "-o", "no/such/folder/x.onnx")
        self.assertEqual(self.files(), ["old.onnx", "text.im"])

    def test_result_is_one_line(self):
        text = self.succeeds("export", MODEL, "-o", "float.onnx")
        self.assertRegex(text, r"^float\.onnx: .* nodes of opset 22, from .*fashion_cnn\.onnx \(.*\)\n$")


if __name__ == "__main__":
    main()
