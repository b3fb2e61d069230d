#!/usr/bin/env python3
"""Writes the next release as it is allowed to be: today's header and option table with a function, an enumerator, an
option and fields appended, the version script for it, and copies of the sources that the changes can reach: only capi
knows the header, and in it these know the version and the structs. grow.py FOLDER"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from abi.compare import compare  # noqa: E402
from abi.export import version_script  # noqa: E402
from abi.header import parse  # noqa: E402

HEADER = "include/intmill/intmill.h"
OPTIONS = "src/capi/option_table.cpp"
CHANGES = {
    HEADER: [
        ("#define INTMILL_VERSION 100\n", "#define INTMILL_VERSION 200\n"),
        ("  const int64_t* dims;\n} intmill_port;",
         "  const int64_t* dims;\n  /** Grown. @since 0.2 */\n  int64_t grown;\n} intmill_port;"),
        ("  int64_t bytes_b;\n} intmill_difference;",
         "  int64_t bytes_b;\n  /** Grown. @since 0.2 */\n  double grown;\n} intmill_difference;"),
        ("  /** Not a key: makes", "  /** i. Grown. Default 0. @since 0.2 */\n  INTMILL_OPT_GROWN = 499,\n"
                                  "  /** Not a key: makes"),
        ("/** Gives the table back.", "/** Grown. @since 0.2 */\nINTMILL_API int32_t intmill_grown(void);\n\n"
                                     "/** Gives the table back."),
    ],
    OPTIONS: [
        ("    {INTMILL_OPT_PROFILE,", '    {INTMILL_OPT_GROWN, "grown", kInteger, false, "0", "0, 1", "grown", 0, 1},\n'
                                      "    {INTMILL_OPT_PROFILE,"),
    ],
}
COPIES = ("library.cpp", "model.cpp", "qparams.cpp")
FUNCTION = '#include "intmill/intmill.h"\n\nint32_t intmill_grown(void) { return 499; }\n'


def grown(name):
    text = (ROOT / name).read_text()
    for old, new in CHANGES[name]:
        if text.count(old) != 1:
            sys.exit(f"{name}: found '{old.strip()}' {text.count(old)} times, wanted once; tests/abi/grow.py appends there")
        text = text.replace(old, new)
    return text


def main():
    folder = pathlib.Path(sys.argv[1])
    header = grown(HEADER)
    problems = compare(parse((ROOT / HEADER).read_text()), parse(header))
    if problems:
        sys.exit("\n".join(problems))
    files = {"include/intmill/intmill.h": header, "option_table.cpp": grown(OPTIONS), "grown.cpp": FUNCTION,
             "intmill.map": version_script(parse(header)),
             **{name: (ROOT / "src/capi" / name).read_text() for name in COPIES}}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
