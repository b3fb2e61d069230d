#!/usr/bin/env python3
"""Checks that the Java binding's shim is complete: bindings/java/jni calls every function of
tests/abi/intmill.json, or lists it in unused.txt with a reason, and defines exactly the natives that
Native.java declares. Exit status 1 on a violation."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHIM = pathlib.PurePosixPath("bindings/java/jni")
NATIVES = pathlib.PurePosixPath("bindings/java/src/main/java/io/github/intmill/Native.java")


def read_unused(path):
    """{function: reason} from lines of `function: reason`."""
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name.strip(): reason.strip() for name, _, reason in (line.partition(":") for line in lines)}


def main():
    functions = {f["name"] for f in json.loads((ROOT / "tests/abi/intmill.json").read_text())["functions"]}
    code = "\n".join(p.read_text() for p in sorted((ROOT / SHIM).glob("*.c")))
    code = re.sub(r"/\*.*?\*/|//[^\n]*", " ", code, flags=re.DOTALL)
    called = set(re.findall(r"\b(intmill_\w+)\s*\(", code)) & functions
    unused = read_unused(ROOT / SHIM / "unused.txt")
    declared = set(re.findall(r"static native [^(;]*?(\w+)\(", (ROOT / NATIVES).read_text()))
    defined = set(re.findall(r"\bNATIVE\(\w+, (\w+)\)", code))

    problems = [f"{SHIM}: {name} is neither called nor in unused.txt"
                for name in sorted(functions - called - set(unused))]
    problems += [f"{SHIM}/unused.txt: {name} is called all the same" for name in sorted(called & set(unused))]
    problems += [f"{SHIM}/unused.txt: {name} is not a function of the ABI"
                 for name in sorted(set(unused) - functions)]
    problems += [f"{SHIM}/unused.txt: {name} has no reason" for name, why in unused.items() if not why]
    problems += [f"{NATIVES}: {name} is not defined in {SHIM}" for name in sorted(declared - defined)]
    problems += [f"{SHIM}: {name} is not declared in {NATIVES}" for name in sorted(defined - declared)]
    print("\n".join(problems + [f"check_jni: {len(functions)} functions, {len(declared)} natives, "
                                f"{len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
