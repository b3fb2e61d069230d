"""What the Python samples share: Fashion-MNIST's files as arrays."""

import gzip
import pathlib
import sys

import numpy

DATA = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "data")
MODEL = DATA / "fashion_cnn.onnx"


def _read_idx(name, header):
    with gzip.open(DATA / name) as file:
        return numpy.frombuffer(file.read()[header:], "u1")


def images(name):
    """All pictures of a file as pixel / 255: t10k or calib2048."""
    pixels = _read_idx(f"{name}-images-idx3-ubyte.gz", 16)
    return pixels.reshape(-1, 1, 28, 28).astype("f4") / numpy.float32(255)


def labels(name):
    """Their classes."""
    return _read_idx(f"{name}-labels-idx1-ubyte.gz", 8).astype("i4")
