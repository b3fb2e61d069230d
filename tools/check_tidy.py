#!/usr/bin/env python3
"""Runs clang-tidy 14 over src/. Exit status 1 on a finding, 77 (skipped) without that version.

  check_tidy.py BUILD           the layers that read what others wrote: files, callers, users
  check_tidy.py BUILD --all     every layer; takes minutes
  check_tidy.py BUILD FILE ...  these files
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WANTED = "14."
EXPOSED_LAYERS = {"base", "tensor", "format", "import", "capi"}
GCC_ONLY = re.compile(r"-ftrivial-auto-var-init=.*|-Wno-psabi|-f?sanitize=.*|-Werror|-W(all|extra|shadow)")


def compile_arguments(entry):
    """The compiler's arguments without those that clang does not know or that tidy replaces."""
    words = shlex.split(entry["command"])[1:]
    words = [w for w in words if not GCC_ONLY.fullmatch(w)]
    drop = words.index("-o")
    del words[drop:drop + 2]
    return [w for w in words if w not in ("-c", entry["file"])]


def check(entry):
    done = subprocess.run(
        ["clang-tidy", "--quiet", entry["file"], "--", *compile_arguments(entry),
         "-Wno-unknown-warning-option", "-Wno-unknown-attributes"],
        cwd=entry["directory"], capture_output=True, text=True)
    return done.stdout if done.returncode else ""


def wanted_files(arguments):
    def is_wanted(path):
        if arguments and arguments[0] != "--all":
            return str(path) in {str(pathlib.Path(a).resolve()) for a in arguments}
        parts = path.relative_to(ROOT).parts
        return parts[0] == "src" and (bool(arguments) or parts[1] in EXPOSED_LAYERS)
    return is_wanted


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        version = subprocess.run(["clang-tidy", "--version"], capture_output=True, text=True).stdout
    except OSError:
        version = ""
    if f"version {WANTED}" not in version:
        print(f"check_tidy: skipped, clang-tidy {WANTED}x wanted")
        return 77
    database = json.loads((pathlib.Path(sys.argv[1]) / "compile_commands.json").read_text())
    is_wanted = wanted_files(sys.argv[2:])
    build = pathlib.Path(sys.argv[1]).resolve()
    entries = [e for e in database
               if build not in pathlib.Path(e["file"]).parents and
               ROOT in pathlib.Path(e["file"]).parents and is_wanted(pathlib.Path(e["file"]))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [f for f in pool.map(check, entries) if f]
    print("\n".join(findings + [f"check_tidy: {len(entries)} files, {len(findings)} with findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
