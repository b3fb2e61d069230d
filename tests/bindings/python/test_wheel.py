#!/usr/bin/env python3
"""Builds the wheel and installs it in a fresh virtual environment, where it must run with its own libraries."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
PROGRAM = '''
import sys, intmill
session = intmill.InferenceSession(sys.argv[1], threads=1)
x = intmill.Tensor(intmill.DType.F32, [1, 1, 28, 28])
scores, = session.run(None, {"image": x})
assert memoryview(scores).shape == (1, 10)
loaded = {line.split()[-1] for line in open("/proc/self/maps")}
for name in ("libintmill.so.0", "libdnnl.so", "libgomp.so.1"):
    path, = [path for path in loaded if name in path]
    assert path.startswith(sys.prefix), f"{path} is not in {sys.prefix}"
print("wheel:", intmill.__version__, "runs in", sys.prefix)
'''


def run(*command, **keywords):
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def missing():
    for tool in ("patchelf", "dpkg-query"):
        if not shutil.which(tool):
            return tool
    for module in ("setuptools", "wheel", "pip", "venv"):
        if subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode:
            return f"Python's {module}"
    return None


def main():
    if missing():
        print(f"{missing()} is not installed: skipped")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="intmill-wheel-") as name:
        folder = pathlib.Path(name).resolve()
        run(sys.executable, ROOT / "tools/wheel.py", sys.argv[1], folder)
        wheel, = folder.glob("*.whl")
        run(sys.executable, "-m", "venv", "--without-pip", folder / "venv")
        python = folder / "venv/bin/python"
        run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--quiet", wheel)
        clean = {key: value for key, value in os.environ.items()
                 if key not in ("INTMILL_LIBRARY", "PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD")}
        print(run(python, "-c", PROGRAM, ROOT / "samples/data/fashion_cnn.onnx", env=clean, cwd=folder), end="")


if __name__ == "__main__":
    main()
