#!/usr/bin/env python3
"""The manual pages and bash's completion: they say all that the program's help says, for every command."""

import re
import shutil
import subprocess
import sys
import unittest

import program
from program import ROOT, ProgramTest, main

OPTION = re.compile(r"^  ((?:-.,)?--[a-z0-9-]+)", re.MULTILINE)


class Manual(ProgramTest):
    def setUp(self):
        super().setUp()
        self.commands = re.findall(r"^  ([a-z]+) ", self.succeeds("--help").split("Subcommands:")[1].split("\n\n")[0],
                                   re.MULTILINE)
        self.assertIn("quantize", self.commands)

    def options(self, *command):
        names = [name for names in OPTION.findall(self.succeeds(*command, "--help")) for name in names.split(",")]
        self.assertIn("--help", names)
        return set(names)


class Pages(Manual):
    def setUp(self):
        super().setUp()
        self.write(self.folder / "man")

    def write(self, folder):
        subprocess.run([sys.executable, ROOT / "tools/manpages.py", program.PROGRAM, folder], check=True,
                       capture_output=True)

    def page(self, name):
        return (self.folder / "man" / f"{name}.1").read_text()

    def test_there_is_one_for_every_command_and_one_of_all(self):
        self.assertEqual({path.name for path in (self.folder / "man").iterdir()},
                         {"intmill.1", *(f"intmill-{command}.1" for command in self.commands)})
        for command in self.commands:
            self.assertIn(f"\\fBintmill\\-{command}\\fR(1)", self.page("intmill"))

    def test_they_describe_every_option_and_lose_no_word(self):
        for command in self.commands:
            heads = re.findall(r"^\.TP\n(.*)", self.page(f"intmill-{command}"), re.MULTILINE)
            described = {name.replace("\\-", "-") for head in heads for name in re.findall(r"\\fB(.*?)\\fR", head)}
            self.assertEqual(described, self.options(command), command)
            self.assertLessEqual(self.words(self.succeeds(command, "--help")) - self.words(self.page(f"intmill-{command}")),
                                 {"usage", "positionals", "example", "examples", "file"}, command)

    def words(self, text):
        text = re.sub(r"\\f[BIR]|\\&|\\:", "", text).replace("\\(aq", "'").replace("\\(ha", "^")
        return set(re.findall(r"[a-z0-9]+", text.lower()))

    @unittest.skipUnless(shutil.which("groff"), "groff is not installed")
    def test_groff_has_nothing_to_say_about_them(self):
        for path in (self.folder / "man").iterdir():
            done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", path], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path.name)

    def test_the_same_program_makes_the_same_bytes(self):
        self.write(self.folder / "again")
        for path in (self.folder / "man").iterdir():
            self.assertEqual(path.read_bytes(), (self.folder / "again" / path.name).read_bytes())


class Completion(Manual):
    def complete(self, *words):
        """What bash offers for the last of the words that it would have in COMP_WORDS."""
        script = (f'PATH="{program.PROGRAM.parent}:$PATH"; . "{ROOT}/src/cli/completion.bash"; '
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _intmill; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-u", "-c", script, "bash", "intmill", *words], capture_output=True, text=True,
                              cwd=self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return set(done.stdout.split())

    def test_commands_are_offered(self):
        self.assertEqual(self.complete(""), set(self.commands))
        self.assertEqual(self.complete("qu"), {"quantize"})
        self.assertEqual(self.complete("-"), {"-h", "--help", "--version"})

    def test_every_option_of_every_command_is_offered(self):
        for command in self.commands:
            self.assertEqual(self.complete(command, "-"), self.options(command), command)

    def test_names_that_an_option_takes_are_offered(self):
        self.assertEqual(self.complete("quantize", "--method", "m"), {"minmax", "mse"})
        self.assertEqual(self.complete("run", "--layout", ""), {"nchw", "nhwc"})
        self.assertEqual(self.complete("run", "--threads", ""), set())

    def test_files_are_offered_where_files_are_wanted(self):
        (self.folder / "model.onnx").touch()
        for words in (["inspect", "mod"], ["quantize", "--json", "mod"], ["quantize", "-o", "mod"],
                      ["quantize", "--recipe", "mod"], ["run", "--data", "image", "=", "mod"],
                      ["run", "--data", "image", "="], ["bench", "--compare", "mod"]):
            self.assertEqual(self.complete(*words), {"model.onnx"}, words)


if __name__ == "__main__":
    main()
