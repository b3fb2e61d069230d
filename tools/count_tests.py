#!/usr/bin/env python3
"""Adds up test results: `count_tests.py BUILD_FOLDER ...` prints 'N passed, N failed, N skipped'.

Reads ctest's report (junit.xml) of each build folder. A Criterion program counts as the tests in
it, from the TAP file that it wrote; any other program counts as one. Exit status 1 when one failed.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree


def tap_counts(path):
    passed = failed = skipped = 0
    for line in path.read_text(errors="replace").splitlines():
        if re.match(r"ok\b.*# SKIP", line):
            skipped += 1
        elif re.match(r"ok\b", line):
            passed += 1
        elif re.match(r"not ok\b", line):
            failed += 1
    return passed, failed, skipped


def folder_counts(folder):
    total = [0, 0, 0]
    for case in xml.etree.ElementTree.parse(folder / "junit.xml").getroot().iter("testcase"):
        name, status = case.get("name"), case.get("status")
        tap = folder / "Testing" / f"{name}.tap"
        if case.find("skipped") is not None or status in ("notrun", "disabled"):
            counts = (0, 0, 1)
        elif tap.exists():
            counts = tap_counts(tap)
            if status == "fail" and counts[1] == 0:  # it ended before it could report
                counts = (counts[0], 1, counts[2])
        else:
            counts = (0, 1, 0) if status == "fail" else (1, 0, 0)
        if counts[1]:
            print(f"failed in {folder.name}: {name}")
        if counts[2]:
            print(f"skipped in {folder.name}: {name} ({counts[2]})")
        total = [a + b for a, b in zip(total, counts)]
    return total


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    totals = [folder_counts(pathlib.Path(name)) for name in sys.argv[1:]]
    passed, failed, skipped = (sum(column) for column in zip(*totals))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
