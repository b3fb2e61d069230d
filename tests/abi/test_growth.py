#!/usr/bin/env python3
"""A program built with today's header runs unchanged with tomorrow's library: test_growth.py SCENARIO_C GROWN_LIBRARY.
The scenario must go as ever, but for what says itself that the library is another."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bindings"))

import compare  # noqa: E402

DIFFERENT = {"version", "known"}  # verbs


def main():
    program, library = map(pathlib.Path, sys.argv[1:])
    exported = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    if " intmill_grown@" not in exported:
        sys.exit(f"{library} does not export intmill_grown")
    today = compare.run([str(program)])
    os.environ["LD_LIBRARY_PATH"] = str(library.parent)
    grown = compare.run([str(program)])
    differing = [compare.json.loads(line) for line, other in zip(today, grown) if line != other]
    verbs = {answer["do"] for answer in differing}
    print(f"{len(grown)} steps with a grown library; what differs: {', '.join(sorted(verbs))}")
    if verbs != DIFFERENT or len(today) != len(grown):
        sys.exit(f"wanted to differ: {', '.join(sorted(DIFFERENT))}; found {differing}")


if __name__ == "__main__":
    main()
