#!/usr/bin/env python3
"""Sizes, errors and speeds of weight-only models: MiniLM-L6 on 128 tokens, and four products of one row.

Usage: weight_only.py INTMILL FOLDER

  INTMILL   the program, as build-release/src/cli/intmill
  FOLDER    where models and data are written, about 150 MB

Weights and data are random with seeds. Needs Python's standard library only.
"""

import json
import pathlib
import random
import struct
import subprocess
import sys

from network import Network
from transformer import minilm_l6

TOKENS, WIDTH = 128, 384
CALIBRATION, TEST = 16, 8
WIDE = 2048


def products(path):
    """Four layers of 2048 x 2048 with a Relu between them, on one row."""
    net = Network("products", 3)
    x = "row"
    for layer in range(4):
        x = net.node("MatMul", x, net.weight(f"w{layer}", [WIDE, WIDE], (2 / WIDE) ** 0.5))
        if layer < 3:
            x = net.node("Relu", x)
    net.write(path, {"row": [1, WIDE]}, {x: [1, WIDE]})


def write_npy(path, shape, values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    data = struct.pack(f"<{len(values)}f", *values)
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)


def embeddings(samples, seed):
    """Rows that share a few directions, as embeddings of real words do."""
    rng, mix = random.Random(seed), random.Random(1)
    directions = [[mix.gauss(0, 1) for _ in range(WIDTH)] for _ in range(8)]
    rows = []
    for _ in range(samples * TOKENS):
        strengths = [rng.gauss(0, 0.5) for _ in directions]
        rows.extend(sum(s * d[i] for s, d in zip(strengths, directions)) + rng.gauss(0, 0.7)
                    for i in range(WIDTH))
    return rows


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(str(word) for word in words)}\n{done.stderr}")
    return json.loads(done.stdout)


def report(intmill, model, data, forms):
    print(f"{model.stem}: {model.stat().st_size} bytes")
    for name, words in forms.items():
        out = model.with_suffix(f".{name}.im")
        calibration = data["calibration"] if "--gptq" in words else []
        run(intmill, "quantize", model, "-o", out, *words, *calibration, "--json")
        checked = run(intmill, "verify", model, out, *data["test"], "--json")["outputs"][0]
        # By turns, so that a busy machine is as busy for both.
        times = [(run(intmill, "bench", model, "--threads", 1, "--json")["min_ms"],
                  run(intmill, "bench", out, "--threads", 1, "--json")["min_ms"]) for _ in range(3)]
        before, after = (min(column) for column in zip(*times))
        print(f"  {name:12} {out.stat().st_size / model.stat().st_size:.3f} of the size, "
              f"cosine {checked['cosine']:.5f}, {before:.3f} ms -> {after:.3f} ms")


def main(arguments):
    if len(arguments) != 2:
        print(__doc__)
        return 2
    intmill, folder = arguments[0], pathlib.Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for part, samples, seed in (("calibration", CALIBRATION, 5), ("test", TEST, 6)):
        write_npy(folder / f"{part}.npy", [samples, TOKENS, WIDTH], embeddings(samples, seed))
        write_npy(folder / f"{part}_mask.npy", [samples, 1, 1, TOKENS], [0.0] * (samples * TOKENS))
        rng = random.Random(seed)
        write_npy(folder / f"{part}_row.npy", [64, WIDE], [rng.gauss(0, 1) for _ in range(64 * WIDE)])
    forms = {"int8": ["--weight-only", "int8"], "int4": ["--weight-only", "int4"],
             "int4_gptq": ["--weight-only", "int4", "--gptq"],
             "int4_gptq_zp": ["--weight-only", "int4", "--gptq", "--zero-points"],
             "fp16": ["--precision", "fp16"]}
    minilm_l6(folder / "minilm_l6.onnx", False)
    products(folder / "products.onnx")
    report(intmill, folder / "minilm_l6.onnx",
           {part: ["--data", f"embeddings={folder}/{part}.npy", "--data",
                   f"mask={folder}/{part}_mask.npy"] for part in ("calibration", "test")}, forms)
    report(intmill, folder / "products.onnx",
           {part: ["--data", f"row={folder}/{part}_row.npy"] for part in ("calibration", "test")},
           forms)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
