#!/usr/bin/env python3
"""Writes the raw layers of the bindings from tests/abi/intmill.json.

  bindgen.py [LANGUAGE ...]           write the raw layers (default: of all languages)
  bindgen.py --check [LANGUAGE ...]   write nothing; exit status 1 when a raw layer is not what it would be

A language is a module of tools/bindgen with a function generate(abi) that returns {path: text}."""

import difflib
import importlib
import pathlib
import sys

from bindgen.shared import read_abi

ROOT = pathlib.Path(__file__).resolve().parent.parent
LANGUAGES = sorted(path.stem for path in (ROOT / "tools/bindgen").glob("*.py")
                   if path.stem not in ("__init__", "shared"))


def generated(languages):
    abi = read_abi(ROOT / "tests/abi/intmill.json")
    for language in languages:
        for name, text in importlib.import_module(f"bindgen.{language}").generate(abi).items():
            yield language, ROOT / name, text


def check(languages):
    stale = 0
    for language, path, text in generated(languages):
        found = path.read_text() if path.exists() else ""
        if found == text:
            continue
        stale += 1
        name = str(path.relative_to(ROOT))
        print("\n".join(list(difflib.unified_diff(found.splitlines(), text.splitlines(), name, "generated",
                                                  lineterm="", n=1))[:40]))
        print(f"{name} is out of date: run tools/bindgen.py {language}")
    print(f"bindgen: {', '.join(languages)}: {f'{stale} files out of date' if stale else 'all as generated'}")
    return 1 if stale else 0


def write(languages):
    for _, path, text in generated(languages):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


def main(arguments):
    checking = arguments[:1] == ["--check"]
    languages = arguments[checking:] or LANGUAGES
    unknown = sorted(set(languages) - set(LANGUAGES))
    if unknown:
        sys.exit(f"bindgen: {unknown[0]}: not one of {', '.join(LANGUAGES)}\n\n{__doc__}")
    return check(languages) if checking else write(languages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
