#!/usr/bin/env python3
"""Shows that the ABI guard can fail: a small header, one change a test. Where clang and abidiff are installed they
are the second witnesses: clang's layout must be the parser's, and abidiff must see the same breaks."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from abi.compare import compare  # noqa: E402
from abi.header import parse  # noqa: E402
from abi.tokens import HeaderError  # noqa: E402
from abi.export import debian_symbols, version_script  # noqa: E402

HEADER = '''#ifndef INTMILL_INTMILL_H
#define INTMILL_INTMILL_H
#include <stdint.h>
/** Version. @since 1.0 */
#define INTMILL_VERSION 10000
#ifndef INTMILL_API
#define INTMILL_API __attribute__((visibility("default")))
#endif
#ifdef __cplusplus
extern "C" {
#endif
/** A thing. @since 1.0 */
typedef struct intmill_thing intmill_thing;
/** A colour. @since 1.0 */
typedef enum intmill_colour {
  /** Like blood. */
  INTMILL_COLOUR_RED = 1,
  /** Like grass. */
  INTMILL_COLOUR_GREEN = 2,
  /** Not a colour. */
  INTMILL_COLOUR_FORCE32 = 0x7fffffff
} intmill_colour;
/** A size. @since 1.0 */
typedef struct intmill_size {
  /** sizeof(intmill_size). */
  uint32_t struct_size;
  /** Its colour. */
  intmill_colour colour;
  /** Metres. */
  double width;
  /** Metres. */
  double height;
} intmill_size;
/** Initial value. @since 1.0 */
#define INTMILL_SIZE_INIT { sizeof(intmill_size), INTMILL_COLOUR_RED, 0, 0 }
/** Hears. @since 1.0 */
typedef int32_t (*intmill_hear_fn)(void* user, const intmill_size* now);
/** Makes one.
 * @param name what it is called. Errors: none. @since 1.0 */
INTMILL_API int32_t intmill_thing_create(const char* name, int64_t n, intmill_thing** out);
/** Measures. @since 1.0 */
INTMILL_API int32_t intmill_thing_measure(const intmill_thing* thing, intmill_size* size);
/** Gives it back. @since 1.0 */
INTMILL_API void intmill_thing_release(intmill_thing* thing);
#ifdef __cplusplus
}
#endif
#endif
'''
NEWER = ("INTMILL_VERSION 10000", "INTMILL_VERSION 10100")
RELEASE = '''/** Gives it back. @since 1.0 */
INTMILL_API void intmill_thing_release(intmill_thing* thing);
'''


def changed(*changes):
    text = HEADER
    for old, new in (NEWER, *changes):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


class Rules(unittest.TestCase):
    """A change, and what the guard says of it."""

    @classmethod
    def old_library(cls):
        if not hasattr(cls, "folder"):
            cls.folder = tempfile.TemporaryDirectory()
            cls.addClassCleanup(cls.folder.cleanup)
            library(pathlib.Path(cls.folder.name) / "old", HEADER)
        return pathlib.Path(cls.folder.name) / "old/libintmill.so"

    def breaks(self, said, *changes, for_abidiff=True):
        problems = compare(parse(HEADER), parse(changed(*changes)))
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(said, problems[0])
        self.witness(True, for_abidiff, changes)

    def keeps(self, *changes):
        self.assertEqual(compare(parse(HEADER), parse(changed(*changes))), [])
        self.witness(False, True, changes)

    def witness(self, breaks, can_see, changes):
        """abidiff on two libraries with these headers. Its exit status has bit 8 for a break, and bit 4 for whatever
        differs, a legal append among it."""
        if not shutil.which("abidiff") or not can_see:
            return
        with tempfile.TemporaryDirectory() as name:
            new = library(pathlib.Path(name) / "new", changed(*changes))
            old = self.old_library()
            done = subprocess.run(["abidiff", "--no-show-locs", old, new], capture_output=True, text=True)
        if breaks:
            self.assertNotEqual(done.returncode & 12, 0, done.stdout)
        else:
            self.assertEqual(done.returncode & 8, 0, done.stdout)

    def test_nothing_changed_passes(self):
        self.keeps()

    def test_a_removed_function_is_rejected(self):
        self.breaks("intmill_thing_release was removed", (RELEASE, ""))

    def test_a_changed_parameter_is_rejected(self):
        self.breaks("takes (const char *, int32_t, intmill_thing **)", ("int64_t n", "int32_t n"))

    def test_an_added_parameter_is_rejected(self):
        self.breaks("takes (intmill_thing *, int32_t)", ("release(intmill_thing* thing)",
                                                         "release(intmill_thing* thing, int32_t how)"))

    def test_another_order_of_parameters_is_rejected(self):
        self.breaks("takes (int64_t, const char *, intmill_thing **)",
                    ("const char* name, int64_t n,", "int64_t n, const char* name,"))

    def test_a_changed_return_type_is_rejected(self):
        self.breaks("returned void, returns int32_t", ("void intmill_thing_release",
                                                       "int32_t intmill_thing_release"))

    def test_a_changed_callback_is_rejected(self):
        self.breaks("intmill_hear_fn: took", ("const intmill_size* now", "const intmill_size* now, int32_t more"),
                    for_abidiff=False)  # no function of the small header takes it

    def test_a_field_in_the_middle_is_rejected(self):
        self.breaks("at offset 16 was double height, is double depth",
                    ("  /** Metres. */\n  double height;",
                     "  /** Metres. @since 1.1 */\n  double depth;\n  /** Metres. */\n  double height;"))

    def test_fields_that_change_places_are_rejected(self):
        self.breaks("at offset 8 was double width, is double height",
                    ("double width", "double temporary"), ("double height", "double width"),
                    ("double temporary", "double height"))

    def test_a_field_of_another_type_is_rejected(self):
        self.breaks("was double width, is int64_t width", ("double width", "int64_t width"))

    def test_a_removed_field_is_rejected(self):
        self.breaks("intmill_size.height was removed", ("  /** Metres. */\n  double height;\n", ""))

    def test_a_renumbered_enumerator_is_rejected(self):
        self.breaks("INTMILL_COLOUR_GREEN was 2, is 3", ("GREEN = 2", "GREEN = 3"))

    def test_a_removed_enumerator_is_rejected(self):
        self.breaks("INTMILL_COLOUR_GREEN was removed",
                    ("  /** Like grass. */\n  INTMILL_COLOUR_GREEN = 2,\n", ""))

    def test_a_removed_handle_is_rejected(self):
        text = HEADER.replace("/** A thing. @since 1.0 */\ntypedef struct intmill_thing intmill_thing;\n", "")
        for line in ("create", "measure", "release"):
            start = text.index("/**", text.index("intmill_hear_fn"))
            text = text[:start] + text[text.index(";", start) + 2:]
        self.assertIn("intmill_thing was removed", compare(parse(HEADER), parse(text.replace(*NEWER))))

    def test_what_is_new_must_say_so(self):
        self.breaks("intmill_thing_more is new since 1.0.0, but says @since 1.0",
                    (RELEASE, RELEASE + RELEASE.replace("release", "more")), for_abidiff=False)

    def test_a_later_since_of_an_old_thing_is_rejected(self):
        self.breaks("@since was 1.0, is 1.1", ("Measures. @since 1.0", "Measures. @since 1.1"), for_abidiff=False)

    def test_a_version_that_goes_back_is_rejected(self):
        self.assertIn("is older", compare(parse(changed()), parse(HEADER))[0])

    def test_another_major_version_may_break(self):
        broken = HEADER.replace("VERSION 10000", "VERSION 20000").replace(RELEASE, "")
        self.assertEqual(compare(parse(HEADER), parse(broken)), [])

    def test_a_legal_append_passes(self):
        self.keeps((RELEASE, RELEASE + RELEASE.replace("release", "more").replace("1.0", "1.1")),
                   ("  /** Not a colour. */", "  /** Like sky. @since 1.1 */\n  INTMILL_COLOUR_BLUE = 3,\n"
                                              "  /** Not a colour. */"),
                   ("  double height;\n", "  double height;\n  /** Metres. @since 1.1 */\n  double depth;\n"))

    def test_a_renamed_parameter_passes(self):
        self.keeps(("int64_t n,", "int64_t count,"))


class Style(unittest.TestCase):
    """What cannot enter the header at all."""

    def refuses(self, said, *changes):
        with self.assertRaises(HeaderError) as caught:
            parse(changed(*changes))
        self.assertIn(said, str(caught.exception))
        self.assertRegex(str(caught.exception), r"^intmill\.h:\d+: ")

    def test_a_function_without_since(self):
        self.refuses("intmill_thing_measure has no @since", ("Measures. @since 1.0", "Measures."))

    def test_an_enum_without_since(self):
        self.refuses("intmill_colour has no @since", ("A colour. @since 1.0", "A colour."))

    def test_a_function_without_a_comment(self):
        self.refuses("intmill_thing_measure has no /** comment */", ("/** Measures. @since 1.0 */\n", ""))

    def test_a_field_without_a_comment(self):
        self.refuses("intmill_size.width has no /** comment */", ("  /** Metres. */\n  double width",
                                                                 "  double width"))

    def test_since_a_version_that_is_yet_to_come(self):
        with self.assertRaisesRegex(HeaderError, "intmill_thing is @since 1.2, the header is of 1.1.0"):
            parse(changed(("A thing. @since 1.0", "A thing. @since 1.2")))

    def test_a_number_used_twice(self):
        self.refuses("INTMILL_COLOUR_GREEN has the number of INTMILL_COLOUR_RED", ("GREEN = 2", "GREEN = 1"))

    def test_an_enum_that_could_be_narrow(self):
        self.refuses("does not end with *_FORCE32",
                     (",\n  /** Not a colour. */\n  INTMILL_COLOUR_FORCE32 = 0x7fffffff", ""))

    def test_a_struct_without_its_size(self):
        self.refuses("does not begin with uint32_t struct_size", ("uint32_t struct_size", "uint32_t colours"))

    def test_a_hole_in_a_struct(self):
        self.refuses("intmill_size.width: a hole before it, 4 bytes wide",
                     ("  /** Its colour. */\n  intmill_colour colour;\n", ""))

    def test_a_hole_at_the_end_of_a_struct(self):
        self.refuses("intmill_size: a hole at its end, 4 bytes wide", ("double height", "int32_t height"))

    def test_types_that_other_languages_cannot_call(self):
        for kind in ("size_t", "long", "bool", "intmill_size", "intmill_thing", "unsigned", "char"):
            self.refuses("no place in this ABI", ("int64_t n", f"{kind} n"))

    def test_varargs(self):
        self.refuses("unexpected '...", ("int64_t n,", "int64_t n, ...,"))

    def test_a_union(self):
        self.refuses("wanted a typedef or INTMILL_API", ("/** Hears.", "union u { int32_t a; };\n/** Hears."))

    def test_documentation_of_a_parameter_that_is_not_there(self):
        self.refuses("@param title: no such parameter", ("@param name", "@param title"))


class Extraction(unittest.TestCase):
    def test_parameters_have_direction_and_documentation(self):
        create, measure, _ = parse(HEADER)["functions"]
        self.assertEqual([(p["name"], p["type"], p["direction"]) for p in create["params"]],
                         [("name", "const char *", "in"), ("n", "int64_t", "in"),
                          ("out", "intmill_thing **", "out")])
        self.assertEqual(create["params"][0]["doc"], "what it is called.")
        self.assertEqual(create["doc"], "Makes one. Errors: none.")
        self.assertEqual(measure["params"][1]["direction"], "inout")

    def test_the_script_and_the_symbols_have_every_function(self):
        abi = parse(HEADER)
        self.assertEqual(version_script(abi).count("intmill_thing_"), 3)
        self.assertIn(" intmill_thing_create@INTMILL_1 1.0.0\n", debian_symbols(abi))

    @unittest.skipUnless(shutil.which("clang"), "clang is not installed")
    def test_clang_lays_the_real_structs_out_in_the_same_way(self):
        header = ROOT / "include/intmill/intmill.h"
        claims = ["#include <stddef.h>", f'#include "{header}"']
        abi = parse(header.read_text())
        for struct in abi["structs"]:
            name = struct["name"]
            claims.append(f"_Static_assert(sizeof({name}) == {struct['size']}, \"{name}\");")
            claims.append(f"_Static_assert(_Alignof({name}) == {struct['align']}, \"{name}\");")
            for f in struct["fields"]:
                place = f"{name}, {f['name']}"
                claims.append(f"_Static_assert(offsetof({place}) == {f['offset']}, \"{place}\");")
        for enum in abi["enums"]:
            claims += [f"_Static_assert({v['name']} == {v['value']}, \"{v['name']}\");" for v in enum["values"]]
        # A declaration that differs from the header's is an error.
        for f in abi["functions"]:
            params = ", ".join(p["type"] for p in f["params"]) or "void"
            claims.append(f"{f['returns']} {f['name']}({params});")
        done = subprocess.run(["clang", "-fsyntax-only", "-x", "c", "-"], input="\n".join(claims),
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)


def library(folder, header):
    """A shared library with the functions of a header, and debug information for abidiff."""
    folder.mkdir()
    (folder / "intmill.h").write_text(header)
    abi = parse(header)
    bodies = []
    for f in abi["functions"]:
        params = ", ".join(f"{p['type']} {p['name']}" for p in f["params"])
        unused = " ".join(f"(void){p['name']};" for p in f["params"])
        answer = "" if f["returns"] == "void" else "return 0;"
        bodies.append(f"{f['returns']} {f['name']}({params}) {{ {unused} {answer} }}")
    (folder / "library.c").write_text('#include "intmill.h"\nstruct intmill_thing { int x; };\n' +
                                      "\n".join(bodies) + "\n")
    made = folder / "libintmill.so"
    subprocess.run(["cc", "-g", "-shared", "-fPIC", "-fvisibility=hidden", folder / "library.c", "-o", made],
                   check=True)
    return made


class CommandLine(unittest.TestCase):
    def test_compare_says_what_broke(self):
        with tempfile.TemporaryDirectory() as name:
            old, new = pathlib.Path(name) / "old.json", pathlib.Path(name) / "new.json"
            old.write_text(json.dumps(parse(HEADER)))
            new.write_text(json.dumps(parse(changed((RELEASE, "")))))
            done = subprocess.run([sys.executable, ROOT / "tools/abi.py", "compare", old, new],
                                  capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, "intmill_thing_release was removed\n"))


if __name__ == "__main__":
    if not shutil.which("abidiff"):
        print("abidiff (abigail-tools) is not installed: no second witness of the rules")
    unittest.main()
