#!/usr/bin/env python3
"""Guards the C ABI: reads include/intmill/intmill.h strictly and compares what it finds.

  abi.py extract                    write tests/abi/intmill.json and debian/libintmill0.symbols
  abi.py check                      is that file what the header says, and does the header keep the promises of
                                    every release in tests/abi/releases? Exit status 1 if not
  abi.py compare OLD.json NEW.json  the rules alone: within a major version, only additions
  abi.py version-script [FILE]      print the linker's version script; with FILE, compare it with that one
  abi.py debian-symbols [FILE]      the same for Debian's symbols file
  abi.py release                    keep the ABI of the header's version in tests/abi/releases, when it goes out
"""

import difflib
import json
import pathlib
import re
import sys

from abi.compare import compare
from abi.export import debian_symbols, to_json, version_script
from abi.header import HeaderError, parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/intmill/intmill.h"
EXTRACTED = ROOT / "tests/abi/intmill.json"
SYMBOLS = ROOT / "debian/libintmill0.symbols"
DERIVED = {EXTRACTED: to_json, SYMBOLS: debian_symbols}
RELEASES = ROOT / "tests/abi/releases"


def read_header():
    return parse(HEADER.read_text(), HEADER.relative_to(ROOT).as_posix())


def difference(wanted, path):
    """The first lines in which a file differs from what it should be."""
    found = path.read_text() if path.exists() else ""
    if path.suffix == ".map":  # the build's opens with a comment
        found = re.sub(r"^#.*\n", "", found, flags=re.MULTILINE)
    lines = list(difflib.unified_diff(found.splitlines(), wanted.splitlines(), str(path), "from the header",
                                      lineterm="", n=1))
    return lines[:40]


def check():
    abi = read_header()
    problems = []
    for path, make in DERIVED.items():
        if differing := difference(make(abi), path):
            problems += [*differing, f"{path.relative_to(ROOT)} is out of date: run tools/abi.py extract"]
    releases = sorted(RELEASES.glob("*.json"))
    for release in releases:
        problems += [f"since {release.stem}: {p}" for p in compare(json.loads(release.read_text()), abi)]
    print("\n".join(problems + [f"abi: {len(abi['functions'])} functions, {len(releases)} releases to keep "
                                f"promises to, {'broken' if problems else 'all well'}"]))
    return 1 if problems else 0


def compare_files(old, new):
    problems = compare(*(json.loads(pathlib.Path(path).read_text()) for path in (old, new)))
    print("\n".join(problems or [f"{new} keeps the promises of {old}"]))
    return 1 if problems else 0


def generated(make, path=None):
    text = make(read_header())
    if path is None:
        sys.stdout.write(text)
        return 0
    problems = difference(text, pathlib.Path(path))
    print("\n".join(problems or [f"{path} agrees with the header"]))
    return 1 if problems else 0


def write(path, make=to_json):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(make(read_header()))
    print(f"wrote {path.relative_to(ROOT)}")
    return 0


def main(arguments):
    match arguments:
        case ["extract"]:
            return max(write(path, make) for path, make in DERIVED.items())
        case ["check"]:
            return check()
        case ["compare", old, new]:
            return compare_files(old, new)
        case ["version-script", *path] if len(path) < 2:
            return generated(version_script, *path)
        case ["debian-symbols", *path] if len(path) < 2:
            return generated(debian_symbols, *path)
        case ["release"]:
            return write(RELEASES / f"{read_header()['version']}.json")
    print(__doc__, end="", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except HeaderError as error:
        sys.exit(f"abi: {error}")
    except (OSError, ValueError) as error:
        sys.exit(f"abi: {error}")
