#!/usr/bin/env python3
"""How long models take to load, and how much memory they then need, plain and compiled.

loading.py PROGRAM MODEL... [--threads N] [--times K]: compiles each model to a temporary .ims file, then starts
'PROGRAM bench' K times on either form in turn, and prints medians: milliseconds from opening the file to a session
that can run, and peak memory of the process, a few runs included.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile


def bench(program, model, threads):
    done = subprocess.run([program, "bench", model, "--threads", str(threads), "--duration", "0.05", "--json",
                           "--quiet"], check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout)
    return figures["load_ms"], figures["peak_rss_mb"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    print(f"{'model':24} {'plain ms':>9} {'compiled ms':>12} {'ratio':>6} {'plain MB':>9} {'compiled MB':>12}")
    for model in given.models:
        with tempfile.TemporaryDirectory(prefix="intmill-loading-") as folder:
            compiled = pathlib.Path(folder) / "model.ims"
            subprocess.run([given.program, "compile", model, "-o", compiled, "--threads", str(given.threads),
                            "--quiet"], check=True, capture_output=True)
            found = [[bench(given.program, path, given.threads) for path in (model, compiled)]
                     for _ in range(given.times)]
        plain, fast = ([statistics.median(turn[form][figure] for turn in found) for figure in (0, 1)]
                       for form in (0, 1))
        print(f"{model.name:24} {plain[0]:9.1f} {fast[0]:12.1f} {plain[0] / fast[0]:6.1f} {plain[1]:9.1f} "
              f"{fast[1]:12.1f}", flush=True)


if __name__ == "__main__":
    main()
