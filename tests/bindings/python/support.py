"""What the tests of the Python binding share. INTMILL_TEST_WITHOUT_NUMPY=1 runs them as if it were not installed."""

import gzip
import os
import pathlib
import sys
import unittest

if os.environ.get("INTMILL_TEST_WITHOUT_NUMPY"):
    sys.modules["numpy"] = None  # makes `import numpy` fail
try:
    import numpy
except ImportError:
    numpy = None

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA = ROOT / "samples/data"
MODEL = DATA / "fashion_cnn.onnx"
ONE = {"threads": 1}
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")  # slow, and keeps freed memory for a while
needs_numpy = unittest.skipIf(numpy is None, "NumPy is not installed")

import intmill  # noqa: E402
from intmill import DType, Model, Probe, Status, Tensor  # noqa: E402


def images(first=0, count=16):
    """Fashion-MNIST test images as a tensor, pixels 0 to 1."""
    with gzip.open(DATA / "t10k-images-idx3-ubyte.gz") as file:
        file.read(16 + first * 784)
        pixels = file.read(count * 784)
    tensor = Tensor(DType.F32, [count, 1, 28, 28])
    flat = tensor.memoryview().cast("B").cast("f")
    for i, pixel in enumerate(pixels):
        flat[i] = pixel / 255
    return tensor


def classes(first=0, count=16):
    with gzip.open(DATA / "t10k-labels-idx1-ubyte.gz") as file:
        file.read(8 + first)
        labels = file.read(count)
    tensor = Tensor(DType.S32, [count])
    view = tensor.memoryview()
    for i, label in enumerate(labels):
        view[i] = label
    return tensor


def data(tensor):
    return tensor.memoryview().tobytes()


def load(options=None):
    return Model.load(MODEL, options or ONE)


def quantized():
    model = load()
    probe = Probe.calibrate(model, ONE)
    probe.feed(images())
    return model.quantize(probe, ONE)


class BindingTest(unittest.TestCase):
    def refuses(self, status, said, function, *arguments, **keywords):
        with self.assertRaises(intmill.IntmillError) as caught:
            function(*arguments, **keywords)
        self.assertEqual(caught.exception.status, status, caught.exception)
        self.assertIn(said, str(caught.exception))
        self.assertNotIn("\n", str(caught.exception))

    def is_closed(self, function, *arguments):
        self.refuses(Status.STATE, "is closed", function, *arguments)
