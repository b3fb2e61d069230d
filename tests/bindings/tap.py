#!/usr/bin/env python3
"""Prints TAP lines, which tools/count_tests.py counts, from JUnit's XML or Visual Studio's TRX reports."""

import sys
import xml.etree.ElementTree


def results(root):
    """(name, "ok", "skip" or "failed") of each test."""
    if root.tag.endswith("TestRun"):
        for case in root.findall(".//{*}UnitTestResult"):
            outcome = {"Passed": "ok", "NotExecuted": "skip"}.get(case.get("outcome"), "failed")
            yield case.get("testName"), outcome
        return
    for case in root.iter("testcase"):
        failed = case.find("failure") is not None or case.find("error") is not None
        skipped = case.find("skipped") is not None
        yield f"{case.get('classname')}.{case.get('name')}", "failed" if failed else "skip" if skipped else "ok"


def main():
    failed = total = 0
    for path in sys.argv[1:]:
        for name, outcome in results(xml.etree.ElementTree.parse(path).getroot()):
            total += 1
            failed += outcome == "failed"
            print("not ok" if outcome == "failed" else "ok", "-", name, "# SKIP" if outcome == "skip" else "")
    if total == 0:
        print("not ok - no test was reported")
    return 1 if failed or total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
