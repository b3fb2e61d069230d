#!/usr/bin/env python3
"""Checks the built shared library against its promises. Exit status 1 on a violation.

  check_library.py LIB [--release]

It exports the functions of intmill.h and nothing else, cannot be unloaded, is relocated read-only
before it starts, has no text relocations and no search path, and needs only the libraries it may. In a release
build nothing in it may end the process or print, and stripped it is at most 4 MB.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MOST_BYTES = 4_000_000
SONAME = "libintmill.so.0"
NEEDED = re.compile(r"lib(dnnl|gomp|stdc\+\+|m|gcc_s|c|pthread)\.so\.|ld-linux")
# What C and C++ code calls to end the process or to print. Not here: the C++ runtime's own ways
# (std::terminate on a throw out of a noexcept function, __stack_chk_fail, __glibcxx_assert_fail),
# which end a process that is already broken.
FORBIDDEN = re.compile(
    r"^(abort|_?[eE]xit|quick_exit|__assert_fail|raise|kill|perror|syslog|"
    r"(__)?(v?f?printf|dprintf|puts|putchar|fputs|fputc|fwrite)(_chk|_unlocked)?|"
    r"stdout|stderr|_ZSt4(cout|cerr|clog))$")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def declared():
    text = (ROOT / "include/intmill/intmill.h").read_text()
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return set(re.findall(r"^INTMILL_API[^;(]*?\b(intmill_\w+)\(", text, re.MULTILINE))


def export_problems(library):
    rows = (line.split() for line in output("nm", "-D", "--defined-only", library).splitlines())
    exported = {row[-1].split("@")[0] for row in rows if row[-2] != "A"}
    for name in sorted(declared() - exported):
        yield f"{name} is in the header and not exported"
    for name in sorted(exported - declared()):
        yield f"{name} is exported and not in the header"


def import_problems(library):
    for line in output("nm", "-D", "--undefined-only", library).splitlines():
        name = line.split()[-1].split("@")[0]
        if FORBIDDEN.match(name):
            yield f"the library refers to {name}"


def size_problems(library):
    with tempfile.NamedTemporaryFile() as stripped:
        output("strip", "-o", stripped.name, library)
        size = pathlib.Path(stripped.name).stat().st_size
    if size > MOST_BYTES:
        yield f"stripped it has {size} bytes, at most {MOST_BYTES} are wanted"


def elf_problems(library):
    dynamic = output("readelf", "-dW", library)
    headers = output("readelf", "-lW", library)
    for text, wanted in ((dynamic, "NODELETE"), (dynamic, "BIND_NOW"), (headers, "GNU_RELRO"),
                         (dynamic, f"soname: [{SONAME}]")):
        if wanted not in text:
            yield f"{wanted} is missing"
    for unwanted in ("TEXTREL", "RPATH", "RUNPATH"):
        if unwanted in dynamic:
            yield f"{unwanted} is set"
    if re.search(r"GNU_STACK.*RWE", headers):
        yield "the stack is executable"
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if not NEEDED.match(name):
            yield f"it needs {name}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    library = sys.argv[1]
    problems = [*export_problems(library), *elf_problems(library)]
    if "--release" in sys.argv:
        problems += [*import_problems(library), *size_problems(library)]
    count = len(declared())
    print("\n".join(problems + [f"check_library: {count} functions, {len(problems)} violations"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
