#!/usr/bin/env python3
"""Writes well-known networks as FP32 ONNX files with seeded random weights, for benchmarks.

Usage: make_models.py [--small] FOLDER [NAME ...]      (default: all)

  --small   a few narrow layers of each, for tests

The weights mean nothing, the shapes are the real ones. Needs Python's standard library only.
"""

import pathlib
import sys

from cnn import efficientnet_b0, mobilenetv2, resnet50
from transformer import bert_base, minilm_l6, vit_b16
from yolo import yolo

MODELS = {make.__name__: make for make in (resnet50, mobilenetv2, efficientnet_b0, yolo, bert_base,
                                           minilm_l6, vit_b16)}


def main(arguments):
    small = "--small" in arguments
    arguments = [argument for argument in arguments if argument != "--small"]
    if not arguments or arguments[0].startswith("-"):
        print(__doc__ + f"\nNAMEs: {', '.join(MODELS)}")
        return 2
    folder = pathlib.Path(arguments[0])
    wanted = arguments[1:] or list(MODELS)
    unknown = [name for name in wanted if name not in MODELS]
    if unknown:
        print(f"make_models.py: no model '{unknown[0]}', wanted one of {', '.join(MODELS)}",
              file=sys.stderr)
        return 2
    folder.mkdir(parents=True, exist_ok=True)
    for name in wanted:
        MODELS[name](folder / f"{name}.onnx", small)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
