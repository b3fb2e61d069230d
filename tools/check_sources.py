#!/usr/bin/env python3
"""Checks that every source file below src/ and tests/ is compiled: lists are written by hand, and a
file that no list names is dead. Argument: a build folder. Exit status 1 on a violation."""

import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    database = json.loads((pathlib.Path(sys.argv[1]) / "compile_commands.json").read_text())
    compiled = {pathlib.Path(entry["file"]).resolve() for entry in database}
    # tests/install builds its program against the installed library.
    files = sorted(path for folder in ("src", "tests", "samples")
                   for path in (ROOT / folder).rglob("*.c*")
                   if path.suffix in (".c", ".cpp") and "install" not in path.parts)
    missing = [f"{p.relative_to(ROOT)}: no CMakeLists.txt names it" for p in files if p not in compiled]
    print("\n".join(missing + [f"check_sources: {len(files)} files, {len(missing)} not compiled"]))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
