#!/usr/bin/env python3
"""Checks every #include in src/ against the table in ARCHITECTURE.md. Exit status 1 on a violation."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)
# Who may include the public headers.
PUBLIC_HEADERS = {"intmill/intmill.h": ("capi", "cli"), "intmill/intmill.hpp": ("cli",)}
ONEDNN = "oneapi/dnnl"


def read_table(text):
    """{folder: (layers it may include, prefixes of third-party headers)} from the Markdown table."""
    rows = re.search(r"^\| folder \| one duty \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    if not rows:
        sys.exit("check_layers: ARCHITECTURE.md has no table '| folder | one duty | ...'")
    table = {}
    for row in rows.group(1).splitlines():
        folder, _, layers, headers = (cell.strip() for cell in row.strip("|").split("|"))
        table[folder] = tuple(set(cell.split()) - {"-"} for cell in (layers, headers))
    return table


def check_table(table):
    """A row may name known folders only, and the law must not be circular."""
    problems = []
    for folder, (layers, _) in table.items():
        for layer in sorted(layers - set(table)):
            problems.append(f"ARCHITECTURE.md: row {folder} names {layer}, which has no row")
    done = set()
    while len(done) < len(table):
        ready = {f for f, (layers, _) in table.items() if f not in done and layers <= done}
        if not ready:
            left = ", ".join(sorted(set(table) - done))
            return problems + [f"ARCHITECTURE.md: the rows of {left} form a circle"]
        done |= ready
    return problems


def third_party_allowed(header, prefixes, folder, path):
    if header.startswith(ONEDNN):
        return folder == "kernels" and path.parts[1] == "onednn"
    return any(header == p or header.startswith(p + "/") for p in prefixes)


def is_system(header):
    """C++ and C library headers, and Linux's."""
    return re.fullmatch(r"[a-z_0-9]+", header) or header in {
        "cpuid.h", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "linux/openat2.h", "pthread.h",
        "link.h", "sched.h", "signal.h", "spawn.h", "stdint.h", "sys/mman.h", "sys/resource.h", "sys/stat.h",
        "sys/syscall.h", "sys/types.h", "sys/wait.h", "sys/ioctl.h", "unistd.h"}


def check_file(path, table):
    relative = path.relative_to(SOURCE)
    folder = relative.parts[0]
    if folder not in table:
        return [f"src/{relative}: folder {folder} has no row in ARCHITECTURE.md"]
    layers, prefixes = table[folder]
    problems = []
    text = path.read_text()
    for match in INCLUDE.finditer(text):
        bracket, header = match.groups()
        place = f"src/{relative}:{text.count(chr(10), 0, match.start()) + 1}"
        layer = header.split("/")[0]
        if header in PUBLIC_HEADERS:
            if folder not in PUBLIC_HEADERS[header]:
                problems.append(f"{place}: {folder} must not include the public header")
        elif bracket == '"':
            if layer not in table or "/" not in header:
                problems.append(f'{place}: "{header}" is not written from src/ as "layer/file.h"')
            elif layer != folder and layer not in layers:
                problems.append(f"{place}: {folder} must not include {layer} ({header})")
        elif not is_system(header) and not third_party_allowed(header, prefixes, folder, relative):
            problems.append(f"{place}: {folder} must not include <{header}>")
    for word in ("INTMILL_API", 'extern "C"'):
        if word in text and folder != "capi":
            problems.append(f"src/{relative}: {word} belongs to capi")
    return problems


def main():
    table = read_table((ROOT / "ARCHITECTURE.md").read_text())
    problems = check_table(table)
    files = sorted(p for p in SOURCE.rglob("*") if p.suffix in (".h", ".cpp", ".c", ".inc"))
    for path in files:
        problems += check_file(path, table)
    print("\n".join(problems + [f"check_layers: {len(files)} files, {len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
