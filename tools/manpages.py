#!/usr/bin/env python3
"""Writes the program's manual pages from its own help: manpages.py PROGRAM FOLDER

intmill.1, and a page for each command. The same program makes the same bytes."""

import pathlib
import re
import subprocess
import sys

ENTRY = re.compile(r"  (\S.*?)(?: {2,}(\S.*))?")
MORE = re.compile(r" {10,}(\S.*)")
LISTS = ("POSITIONALS", "SUBCOMMANDS")  # of what does not begin with a hyphen


def say(program, *arguments):
    done = subprocess.run([program, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"manpages: {program} {' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def entries(lines):
    """[form, text] of each line of a list; a text may go on in the lines below."""
    made = []
    for line in lines:
        more, entry = MORE.fullmatch(line), ENTRY.fullmatch(line)
        if more and made:
            made[-1][1] = f"{made[-1][1]} {more[1]}".strip()
        elif entry:
            made.append([entry[1], entry[2] or ""])
        else:
            sys.exit(f"manpages: '{line}' is no line of a list of options")
    return made


class Help:
    """A help text taken apart: about, usage, lists as (title, entries), and paragraphs, which are lists of lines."""

    def __init__(self, text):
        about, usage, *rest = text.strip("\n").split("\n")
        self.about, self.usage = about, usage.removeprefix("Usage:").strip()
        self.lists, self.paragraphs = [], []
        for block in re.split(r"\n{2,}", "\n".join(rest).strip("\n")):
            title, *lines = block.split("\n")
            name = title.removesuffix(":").upper()
            if title.endswith(":") and lines and (name in LISTS or lines[0].startswith("  -")):
                self.lists.append((name, entries(lines)))
            else:
                self.paragraphs.append([title, *lines])

    def commands(self):
        return [name for title, found in self.lists if title == "SUBCOMMANDS" for name, _ in found]


def escape(text):
    """Text as roff takes it literally; hyphens stay hyphens, so that options can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha")
    return "\\&" + text if text.startswith(".") else text


def bold(text):
    return f"\\fB{escape(text)}\\fR"


def prose(text):
    """With its options in bold, and JSON that may be broken behind commas."""
    text = re.sub(r"([,:\[{])(?=[\"\[{])", "\\1\0", text)
    pieces = re.split(r"((?<![\w-])--[a-z][a-z-]*)", text)
    made = "".join(bold(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces))
    return made.replace("\0", "\\:")


def paragraph(lines):
    """What is indented stands as it is; all else is filled."""
    made, indented = [".PP"], False
    for line in lines:
        if line.startswith("  ") != indented:
            indented = not indented
            made += [".RS 4", ".nf"] if indented else [".fi", ".RE", ".PP"]
        made.append(escape(line[2:]) if indented else prose(line))
    return made + ([".fi", ".RE"] if indented else [])


def listed(title, found):
    made = [f".SH {'ARGUMENTS' if title == 'POSITIONALS' else title}"]
    for form, text in found:
        names, _, value = form.partition(" ")
        if title == "SUBCOMMANDS":
            head = f"{bold('intmill-' + names)}(1)"
        elif title == "POSITIONALS":
            head = f"\\fI{escape(names)}\\fR"
        else:
            head = ", ".join(map(bold, names.split(","))) + (f" \\fI{escape(value)}\\fR" if value else "")
        made += [".TP", head, prose(text)]
    return made


def page(name, said, version, others):
    words = said.usage.split()
    call = name.count("-") + 1  # the words that are typed as they are
    made = [f".TH {name.upper()} 1 \"\" \"intmill {version}\" \"User Commands\"", ".ad l", ".nh",
            ".SH NAME", f"{escape(name)} \\- {escape(said.about[0].lower() + said.about[1:].rstrip('.'))}",
            ".SH SYNOPSIS", f"{bold(' '.join(words[:call]))} {escape(' '.join(words[call:]))}"]
    examples = [p for p in said.paragraphs if p[0].startswith(("Example", "A first session"))]
    json = [p for p in said.paragraphs if p[0].startswith("JSON: ")]
    description = [p for p in said.paragraphs if p not in examples + json]
    if description:
        made.append(".SH DESCRIPTION")
    for lines in description:
        made += paragraph(lines)
    for title, found in said.lists:
        made += listed(title, found)
    for lines in json:
        made += [".SH JSON", *paragraph([lines[0].removeprefix("JSON: "), *lines[1:]])]
    for lines in examples:
        made += [".SH EXAMPLES", *paragraph(lines[1:])]
    made += [".SH SEE ALSO", ",\n".join(f"{bold(other)}(1)" for other in others if other != name)]
    return "\n".join(made) + "\n"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    version = say(program, "--version").split(",")[0].split()[1]
    said = {"intmill": Help(say(program, "--help"))}
    for command in said["intmill"].commands():
        said[f"intmill-{command}"] = Help(say(program, command, "--help"))
    if len(said) == 1:
        sys.exit(f"manpages: the help of {program} lists no commands")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in said.items():
        (folder / f"{name}.1").write_text(page(name, text, version, list(said)))
    print(f"manpages: {len(said)} pages")


if __name__ == "__main__":
    main()
