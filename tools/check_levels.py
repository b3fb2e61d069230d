#!/usr/bin/env python3
"""Checks the object files of the hot loops, which are compiled once for each level of instruction
set. Exit status 1 on a violation.

  check_levels.py OBJECT...

A weak symbol (an inline function of a shared header, a template of the standard library) is one
that the linker keeps a single copy of, from any object: it could bring AVX-512 instructions to the
code that every machine runs. So these objects may define none.
"""

import pathlib
import re
import subprocess
import sys

WEAK = re.compile(r"^[0-9a-f]+ [VWu] (.*)$", re.MULTILINE)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    problems = []
    for path in sys.argv[1:]:
        symbols = subprocess.run(["nm", "-C", "--defined-only", path], check=True,
                                 capture_output=True, text=True).stdout
        name = "/".join(pathlib.Path(path).parts[-2:])
        problems += [f"{name}: weak symbol {symbol}" for symbol in WEAK.findall(symbols)]
    count = len(sys.argv) - 1
    print("\n".join(problems + [f"check_levels: {count} objects, {len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
