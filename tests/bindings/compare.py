#!/usr/bin/env python3
"""Runs a scenario in one language and in C, and wants the same text from both:
compare.py LANGUAGE C_EXECUTOR -- COMMAND...

With nothing behind `--` it is the C executor alone. Either way each step must answer the status that the
scenario states. Prints one line with the number of steps. Exit status 1: something differs, or a program failed."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SCENARIO = HERE / "scenario.json"


def run(command):
    """The lines that an executor prints, in an empty folder with the links that the scenario's paths need."""
    command = [str(pathlib.Path(word).resolve()) if os.path.exists(word) else word for word in command]
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(ROOT / "samples/data", pathlib.Path(folder) / "data")
        os.symlink(ROOT / "tests/golden/errors", pathlib.Path(folder) / "errors")
        done = subprocess.run([*command, str(SCENARIO)], cwd=folder, capture_output=True, text=True,
                              encoding="utf-8", env={**os.environ, "LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        sys.exit(f"{command[0]}: exit status {done.returncode}\n{done.stdout[-500:]}\n{done.stderr[-4000:]}")
    return done.stdout.splitlines()


def wrong_answers(lines):
    """Steps that are not what the scenario states."""
    steps = [step for step in json.loads(SCENARIO.read_text("utf-8")) if "do" in step]
    if len(lines) != len(steps):
        yield f"{len(lines)} lines for {len(steps)} steps"
    for number, (step, line) in enumerate(zip(steps, lines), 1):
        answer = json.loads(line)
        found = answer["step"], answer["do"], answer["status"]
        wanted = number, step["do"], step.get("status", "INTMILL_OK")
        if found != wanted:
            yield f"found {found}, wanted {wanted}: {answer['message']}"
        if (answer["status"] == "INTMILL_OK") != (answer["message"] == ""):
            yield f"step {number}: {answer['status']} with the message '{answer['message']}'"


def main():
    if len(sys.argv) < 4 or sys.argv[3] != "--":
        sys.exit(__doc__)
    language, reference, command = sys.argv[1], sys.argv[2], sys.argv[4:]
    wanted = run([reference])
    found = run(command) if command else wanted
    problems = list(wrong_answers(found))
    for line, other in zip(wanted, found):
        if line != other:
            problems.append(f"C:    {line}\nhere: {other}")
    if len(wanted) != len(found):
        problems.append(f"{len(found)} lines, C has {len(wanted)}")
    print("\n".join(problems[:40] + [f"scenario in {language}: {len(found)} steps, {len(problems)} differ"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
