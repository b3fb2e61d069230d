#!/usr/bin/env python3
"""What calibrating costs: calibration.py INTMILL MODEL [SIZE]

Quantizes a model of pictures (1 x 3 x SIZE x SIZE) with each method, and with learned rounding, on 32
and on 1000 random pictures, and prints peak memory of both and the time of one picture, on one thread.
"""

import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import time

METHODS = ("minmax", "average", "percentile", "entropy", "mse")


def write_pictures(path, count, size):
    """u8 pictures, channels last, of smooth noise: blocks of 16 x 16 of one colour."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {size}, {size}, 3), }}"
    header = header.ljust((len(header) + 11 + 63) // 64 * 64 - 11) + "\n"
    numbers = random.Random(1)
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        for _ in range(count):
            for _ in range(0, size, 16):
                row = b"".join(bytes(numbers.choices(range(256), k=3)) * 16 for _ in range(0, size, 16))
                out.write(row[: size * 3] * min(16, size))


def quantize(program, model, pictures, output, *options):
    command = [program, "quantize", model, "-o", output, "--data", pictures, "--layout", "nhwc", "--scale", "1/127.5",
               "--mean", "1", "--threads", "1", "--json", *options]
    start = time.monotonic()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(text)["peak_rss_mb"], time.monotonic() - start


def main():
    program, model = sys.argv[1:3]
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 224
    with tempfile.TemporaryDirectory() as folder:
        pictures = pathlib.Path(folder, "pictures.npy")
        write_pictures(pictures, 1000, size)
        output = str(pathlib.Path(folder, "out.im"))
        print("method        32: MB   1000: MB   growth   ms a picture")
        runs = [(method, ("--method", method)) for method in METHODS]
        for name, options in [*runs, ("learned", ("--rounding", "learned")), ("smooth", ("--smooth", "auto"))]:
            small, few = quantize(program, model, str(pictures), output, "--samples", "32", *options)
            large, many = quantize(program, model, str(pictures), output, *options)
            print(f"{name:12} {small:8.1f} {large:10.1f} {100 * (large / small - 1):7.1f} % {1000 * (many - few) / 968:10.2f}",
                  flush=True)


if __name__ == "__main__":
    main()
