#!/usr/bin/env python3
"""mypy --strict over the Python package; skipped where mypy is not installed."""

import pathlib
import shutil
import subprocess
import sys
import tempfile

PACKAGE = pathlib.Path(__file__).resolve().parents[3] / "bindings/python"

if not shutil.which("mypy"):
    print("mypy is not installed: skipped")
    sys.exit(77)
with tempfile.TemporaryDirectory() as cache:
    sys.exit(subprocess.run(["mypy", "--cache-dir", cache], cwd=PACKAGE).returncode)
