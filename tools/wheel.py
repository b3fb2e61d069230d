#!/usr/bin/env python3
"""Builds a Python wheel with the shared library in it: wheel.py LIBRARY OUTPUT_FOLDER

The libraries that a machine may not have, oneDNN and GNU's OpenMP, go along with their licences, and find each other
by their folder; libstdc++ and the C library are those of the machine, so the wheel wants one that is not older than
this. Where a process has libgomp.so.1 already, ours is not loaded: there is one OpenMP runtime. Needs patchelf, and
Python's setuptools and wheel; no network."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUNDLED = ("libdnnl.so", "libgomp.so")


def dependencies(library):
    """(name, path) of what it needs and not every machine has."""
    text = subprocess.run(["ldd", library], check=True, capture_output=True, text=True).stdout
    found = [(name, path) for name, path in re.findall(r"(\S+) => (/\S+)", text) if name.startswith(BUNDLED)]
    if len(found) != len(BUNDLED):
        sys.exit(f"wheel: {library}: found {[name for name, _ in found]} in what it needs, wanted {BUNDLED}")
    return found


def add_licence(path, package):
    """The copyright file of the Debian package that a library is of."""
    owner = subprocess.run(["dpkg-query", "-S", os.path.realpath(path)], capture_output=True, text=True).stdout
    name = owner.split(":")[0]
    licence = pathlib.Path("/usr/share/doc") / name / "copyright"
    if not name or not licence.exists():
        sys.exit(f"wheel: {path}: no licence found to go along with it")
    shutil.copyfile(licence, package / f"copyright.{name}")


def stage(library, folder):
    """The package as it will be installed."""
    source = folder / "python"
    shutil.copytree(ROOT / "bindings/python", source, ignore=shutil.ignore_patterns("__pycache__", "samples"))
    shutil.copyfile(ROOT / "LICENSE", source / "LICENSE")
    package = source / "intmill"
    soname = subprocess.run(["patchelf", "--print-soname", library], check=True, capture_output=True,
                            text=True).stdout.strip()
    for name, path in [(soname, library), *dependencies(library)]:
        shutil.copyfile(path, package / name)
        subprocess.run(["patchelf", "--set-rpath", "$ORIGIN", package / name], check=True)
        if path != library:
            add_licence(path, package)
    return source


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    library, output = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    missing = [tool for tool in ("patchelf", "ldd", "dpkg-query") if not shutil.which(tool)]
    if missing:
        sys.exit(f"wheel: {missing[0]} is not installed")
    with tempfile.TemporaryDirectory(prefix="intmill-wheel-") as folder:
        source = stage(library, pathlib.Path(folder))
        done = subprocess.run([sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", output],
                              cwd=source, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
    for wheel in sorted(output.glob("intmill-*.whl")):
        print(wheel)


if __name__ == "__main__":
    main()
