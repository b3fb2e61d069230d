#!/usr/bin/env python3
"""Compiles headers alone. Exit status 1 on a failure.

  check_headers.py public     intmill.h as C99 to C23 and C++11 to C++23, intmill.hpp as C++17 to
                              C++23, by gcc and clang, with padding forbidden; every *_INIT macro;
                              and the C programs in README.md
  check_headers.py internal   each header below src/, as C++20, but for those that the build compiles
                              alone: they have a guard, and a source of the same name includes
                              them before anything else
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEADER = ROOT / "include/intmill/intmill.h"
# The schema's header is made by the build, which tells where it is.
GENERATED = [f"-I{os.environ['INTMILL_BUILD']}/generated"] if "INTMILL_BUILD" in os.environ else []
WARNINGS = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
C_STANDARDS = ["c99", "c11", "c17", "c2x"]
CXX_STANDARDS = ["c++11", "c++14", "c++17", "c++20", "c++2b"]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"


def init_program():
    """A program that fills each struct by its INIT macro, and fails when struct_size is wrong."""
    macros = re.findall(r"^#define (INTMILL_(\w+)_INIT)\b", HEADER.read_text(), re.MULTILINE)
    if not macros:
        sys.exit("check_headers: intmill.h has no *_INIT macro")
    checks = "".join(
        f"  {{ intmill_{name.lower()} x = {macro}; if (x.struct_size != sizeof x) return 1; }}\n"
        for macro, name in macros)
    return f"#include <intmill/intmill.h>\nint main(void) {{\n{checks}  return 0;\n}}\n"


def public_jobs(folder):
    init = {"c": folder / "init.c", "c++": folder / "init.cpp"}
    for path in init.values():
        path.write_text(init_program())
    alone = {"c": folder / "alone.c", "c++": folder / "alone.cpp"}
    for path in alone.values():
        path.write_text("#include <intmill/intmill.h>\n#include <intmill/intmill.h>\n")
    raii = folder / "raii.cpp"
    raii.write_text("#include <intmill/intmill.hpp>\n#include <intmill/intmill.hpp>\n")
    flags = WARNINGS + [f"-I{ROOT}/include", "-fsyntax-only"]
    programs = re.findall(r"^```c\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    for i, text in enumerate(programs):
        path = folder / f"readme{i}.c"
        path.write_text(text)
        yield ["gcc", "-std=c11", *flags, path]
    for compilers in ({"c": "gcc", "c++": "g++"}, {"c": "clang", "c++": "clang++"}):
        for language, standards in (("c", C_STANDARDS), ("c++", CXX_STANDARDS)):
            for standard in standards:
                command = [compilers[language], f"-std={standard}", *flags]
                yield [*command, "-Wpadded", alone[language]]
                yield [*command, init[language]]
                if language == "c++" and standard not in ("c++11", "c++14"):
                    yield [*command, raii]


def comes_first(header):
    """Whether the build compiles it alone, and a guard makes a second #include nothing."""
    if not re.search(r"^#ifndef (INTMILL_\w+)\n#define \1$", header.read_text(), re.M):
        return False
    source = header.with_suffix(".cpp")
    first = re.search(r'^#include ["<](.*)[">]', source.read_text() if source.exists() else "", re.M)
    return first and first[1] == str(header.relative_to(ROOT / "src"))


def internal_jobs(folder):
    compiler = os.environ.get("CXX", "g++")
    for header in sorted((ROOT / "src").rglob("*.h")):
        if comes_first(header):
            continue
        name = header.relative_to(ROOT / "src")
        path = folder / f"{str(name).replace('/', '_')}.cpp"
        path.write_text(f'#include "{name}"\n#include "{name}"\n')
        yield [compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", "-fopenmp", "-fsyntax-only",
               "-Wno-missing-field-initializers", "-Wno-psabi",  # as cmake/flags.cmake
               f"-I{ROOT}/src", f"-I{ROOT}/include",
               *GENERATED, path]


def run_init_program(folder):
    program = folder / "init"
    failure = run(["gcc", f"-I{ROOT}/include", folder / "init.c", "-o", program])
    return failure or run([program])


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in ("public", "internal"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        jobs = list((public_jobs if sys.argv[1] == "public" else internal_jobs)(folder))
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failures = [f for f in pool.map(run, jobs) if f]
        if sys.argv[1] == "public":
            failures += [f for f in [run_init_program(folder)] if f]
    print("\n".join(failures + [f"check_headers: {len(jobs)} compilations, {len(failures)} failures"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
