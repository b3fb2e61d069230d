#!/usr/bin/env python3
"""Checks that the sources are as clang-format 14 writes them. Exit status 1 on a violation, 77
(skipped) when another version is installed, because versions differ in what they write.

  check_format.py          says which files differ
  check_format.py --fix    rewrites them
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WANTED = "14."


def find_differing(files):
    """Those of some files that clang-format would write otherwise."""
    run = subprocess.run(["clang-format", "--dry-run", *files], check=True, capture_output=True,
                         text=True)
    return {pathlib.Path(line.split(":")[0]) for line in run.stderr.splitlines()
            if line.endswith("[-Wclang-format-violations]")}


def main():
    try:
        version = subprocess.run(["clang-format", "--version"], check=True, capture_output=True,
                                 text=True).stdout.strip()
    except OSError:
        version = "none"
    if f"version {WANTED}" not in version:
        print(f"check_format: skipped, clang-format {WANTED}x wanted, found: {version}")
        return 77
    files = sorted(path for folder in ("include", "src", "tests", "samples", "bindings")
                   for path in (ROOT / folder).rglob("*")
                   if path.suffix in (".h", ".hpp", ".c", ".cpp"))
    if "--fix" in sys.argv:
        return subprocess.run(["clang-format", "-i", *files]).returncode
    # Many files a call: starting the program takes longer than formatting one.
    groups = [files[i::os.cpu_count() * 4] for i in range(os.cpu_count() * 4)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        differing = sorted(set().union(*pool.map(find_differing, filter(None, groups))))
    for path in differing:
        print(f"{path.relative_to(ROOT)}: differs; tools/check_format.py --fix mends it")
    print(f"check_format: {len(files)} files, {len(differing)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
