#!/usr/bin/env python3
"""Runs clang-tidy 14 over src/. Exit status 1 on a finding, 77 (skipped) without that version.

  check_tidy.py BUILD           the layers that read what others wrote: files, callers, users
  check_tidy.py BUILD --all     every layer; takes minutes
  check_tidy.py BUILD FILE ...  these files

A file without findings is remembered, as a compiler cache does, by all that it is made of: its text, that of every
header, arguments, checks, and clang-tidy itself (in $XDG_CACHE_HOME or ~/.cache, intmill-tidy).
"""

import concurrent.futures
import functools
import hashlib
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


@functools.lru_cache(maxsize=None)
def digest_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def key_of(entry, version):
    """What the answer depends on, wherever the tree lies; None where the compiler cannot tell."""
    words = shlex.split(entry["command"])
    drop = words.index("-o")
    del words[drop:drop + 2]
    done = subprocess.run([*words, "-M"], cwd=entry["directory"], capture_output=True, text=True)
    if done.returncode:
        return None
    files = done.stdout.replace("\\\n", " ").split(": ", 1)[-1].split()
    parts = [version, (ROOT / ".clang-tidy").read_text(), *compile_arguments(entry)]
    parts += [f"{name} {digest_of(os.path.join(entry['directory'], name))}" for name in files]
    return hashlib.sha256("\n".join(parts).replace(str(ROOT), ".").encode()).hexdigest()


def check(entry, version, memory):
    key = key_of(entry, version)
    if key and (memory / key).exists():
        return ""
    found = run_tidy(entry)
    if key and not found:
        memory.mkdir(parents=True, exist_ok=True)
        (memory / key).touch()
    return found


def run_tidy(entry):
    done = subprocess.run(
        ["clang-tidy", "--quiet", entry["file"], "--", *compile_arguments(entry),
         "-Wno-unknown-warning-option", "-Wno-unknown-attributes"],
        cwd=entry["directory"], capture_output=True, text=True)
    return (done.stdout or done.stderr) if done.returncode else ""


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
    cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    check_one = functools.partial(check, version=version, memory=pathlib.Path(cache) / "intmill-tidy")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [f for f in pool.map(check_one, entries) if f]
    print("\n".join(findings + [f"check_tidy: {len(entries)} files, {len(findings)} with findings"]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
