#!/usr/bin/env python3
"""Checks that files have at most 600 lines, samples 60, and functions 80. Exit status 1 on a violation."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("include", "src", "tests", "samples", "tools", "cmake", "bindings")
MAX_FILE = 600
MAX_SAMPLE = 60
MAX_FUNCTION = 80
# The C ABI is one header, and its comments are the manual.
LONG_FILES = {"include/intmill/intmill.h"}

IGNORED = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
CONTAINER = re.compile(r'\b(namespace|class|struct|union|enum|extern|record|interface)\b[^()=]*$')


def blank(match):
    """The same text without meaning: spaces, and the line ends that were in it."""
    return re.sub(r"[^\n]", " ", match.group())


def functions(text):
    """(name, first line, number of lines) of each function body outside other functions."""
    text = IGNORED.sub(blank, text)
    text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, text, flags=re.MULTILINE)
    stack = []  # for each open brace: None for a container, else (name, line) of a body
    head_start = 0
    for match in re.finditer(r"[{};]", text):
        head = text[head_start:match.start()]
        if match.group() == "{":
            inside_body = any(stack)
            entry = None
            if not inside_body and not CONTAINER.search(head) and ")" in head:
                names = re.findall(r"([\w~:]+)\s*\(", head)
                line = text.count("\n", 0, head_start + len(head) - len(head.lstrip())) + 1
                entry = (names[0] if names else "?", line)
            stack.append(entry)
        elif match.group() == "}" and stack:
            entry = stack.pop()
            if entry:
                yield entry[0], entry[1], text.count("\n", 0, match.start()) + 2 - entry[1]
        head_start = match.end()


def main():
    problems, checked = [], 0
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in (".h", ".hpp", ".cpp", ".c", ".inc", ".java", ".cs", ".py", ".sh",
                                   ".cmake"):
                continue
            checked += 1
            name = path.relative_to(ROOT).as_posix()
            text = path.read_text()
            lines = text.count("\n")
            is_sample = folder == "samples" and path.suffix in (".c", ".java", ".cs", ".py")
            most = MAX_SAMPLE if is_sample else MAX_FILE
            if lines > most and name not in LONG_FILES:
                problems.append(f"{name}: {lines} lines, at most {most} wanted")
            if path.suffix in (".py", ".sh", ".cmake"):
                continue
            for function, line, length in functions(text):
                if length > MAX_FUNCTION:
                    problems.append(f"{name}:{line}: {function} has {length} lines, "
                                    f"at most {MAX_FUNCTION} wanted")
    print("\n".join(problems + [f"check_size: {checked} files, {len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
