"""What the generators share: the extracted ABI, and names without the prefixes that C needs."""

import json
import textwrap

# Enumerators of these begin otherwise than the enum's name says.
PREFIXES = {
    "intmill_status": ("INTMILL_ERROR_", "INTMILL_"),
    "intmill_dtype": ("INTMILL_",),
    "intmill_side": ("INTMILL_",),
    "intmill_report_kind": ("INTMILL_REPORT_",),
}
# Words of more than one part, as the enums and structs of other languages are named.
WORDS = {"dtype": "DType", "isa": "Isa", "opt": "Option"}


def read_abi(path):
    return json.loads(path.read_text())


def pascal(name):
    """intmill_report_kind -> ReportKind; intmill_dtype -> DType; intmill_progress_fn -> ProgressFn."""
    words = name.removeprefix("intmill_").split("_")
    return "".join(WORDS.get(word, word.capitalize()) for word in words)


def enumerators(enum):
    """(short name, value) of each enumerator but FORCE32, which is there for C compilers only."""
    prefixes = PREFIXES.get(enum["name"], (f"{enum['name'].upper()}_",))
    for value in enum["values"]:
        if value["name"].endswith("_FORCE32"):
            continue
        prefix = next(p for p in prefixes if value["name"].startswith(p))
        yield value["name"].removeprefix(prefix), value


def wrap(text, width, indent=""):
    """The lines of a comment, each with the indent before it."""
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)
