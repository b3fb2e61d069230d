#!/usr/bin/env python3
"""A program built with today's header runs unchanged with tomorrow's library:
test_growth.py SCENARIO_C LIBRARY GROWN_LIBRARY. The scenario must go as ever, but for what says itself that the library
is another. abidiff, where installed, must see an addition and nothing else."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/bindings"))

import compare  # noqa: E402

DIFFERENT = {"version", "known", "report", "save"}  # verbs


def names_the_library(step):
    """The last two verbs only of the model with a certificate, which tells the version that made it."""
    return step["do"] in ("version", "known") or "proven" in (step.get("object"), step.get("model"))


def main():
    program, old, library = map(pathlib.Path, sys.argv[1:])
    exported = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    if " intmill_grown@" not in exported:
        sys.exit(f"{library} does not export intmill_grown")
    if shutil.which("abidiff"):
        seen = subprocess.run(["abidiff", old, library], capture_output=True, text=True)
        if seen.returncode != 4:  # a change, and 8 would be one that breaks
            sys.exit(f"abidiff: exit status {seen.returncode}, wanted 4\n{seen.stdout}")
    else:
        print("abidiff (abigail-tools) is not installed: no second witness")
    today = compare.run([str(program)])
    os.environ["LD_LIBRARY_PATH"] = str(library.parent)
    grown = compare.run([str(program)])
    differing = [compare.json.loads(line) for line, other in zip(today, grown) if line != other]
    verbs = {answer["do"] for answer in differing}
    print(f"{len(grown)} steps with a grown library; what differs: {', '.join(sorted(verbs))}")
    steps = [step for step in compare.json.loads((ROOT / "tests/bindings/scenario.json").read_text()) if "do" in step]
    others = [answer for answer in differing if not names_the_library(steps[answer["step"] - 1])]
    if verbs != DIFFERENT or others or len(today) != len(grown):
        sys.exit(f"wanted to differ: {', '.join(sorted(DIFFERENT))}; found {differing}")


if __name__ == "__main__":
    main()
