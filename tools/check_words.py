#!/usr/bin/env python3
"""Checks for words that must not be there: marks of unfinished work anywhere, and in the library
calls that print, end the process, read the environment or throw. Exit status 1 on a violation."""

import pathlib
import re
import sys

from check_size import IGNORED, blank

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "for" + " now")) +
                        r")\b")
CALLS = re.compile(r"(?<![\w.>])(?:std::)?(v?f?printf|puts|putchar|perror|abort|_?exit|quick_exit|"
                   r"terminate|getenv|secure_getenv|system|popen)\s*\(|"
                   r"\bstd::(cout|cerr|clog)\b|\bthrow\b")
MEMORY = re.compile(r"\bnew\s+[\w:<(]|\bdelete\b(?!\s*;)|(?<![\w.>])(?:std::)?(malloc|calloc|free|fopen)\(")
# (folder, word): reason
ALLOWED = {
    ("base", "getenv"): "the logging level, in one file",
    ("base", "abort"): "CHECK in builds with INTMILL_CHECKS",
    ("base", "new"): "base owns memory", ("base", "delete"): "base owns memory",
    ("base", "malloc"): "base owns memory", ("base", "calloc"): "base owns memory",
    ("base", "free"): "base owns memory",
}


def library_problems(path, text):
    folder = path.relative_to(ROOT / "src").parts[0]
    if folder == "cli":
        return
    code = IGNORED.sub(blank, text)
    code = re.sub(r"=\s*delete\b", lambda m: " " * len(m.group()), code)
    for pattern in (CALLS, MEMORY):
        for match in pattern.finditer(code):
            word = next((g for g in match.groups() if g), match.group().split()[0])
            if (folder, word) not in ALLOWED:
                yield code.count("\n", 0, match.start()) + 1, f"'{word}' in the library"


def main():
    problems, checked = [], 0
    for folder in ("include", "src", "tests", "samples", "tools", "cmake", "bindings"):
        for path in sorted((ROOT / folder).rglob("*")):
            if not path.is_file() or path.suffix not in (
                    ".h", ".hpp", ".cpp", ".c", ".inc", ".py", ".sh", ".cmake", ".txt", ".fbs",
                    ".java", ".cs"):
                continue
            checked += 1
            text = path.read_text()
            name = path.relative_to(ROOT)
            for match in UNFINISHED.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                problems.append(f"{name}:{line}: '{match.group()}'")
            if folder == "src" and path.suffix in (".h", ".cpp", ".inc"):
                problems += [f"{name}:{line}: {what}" for line, what in library_problems(path, text)]
    print("\n".join(problems + [f"check_words: {checked} files, {len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
