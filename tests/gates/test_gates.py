#!/usr/bin/env python3
"""Shows that the gates can fail: each is given a small tree with one mistake in it."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Gate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        shutil.copytree(ROOT / "tools", self.root / "tools")
        shutil.copy(ROOT / "ARCHITECTURE.md", self.root)

    def tearDown(self):
        self.folder.cleanup()

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_gate(self, script, *arguments):
        done = subprocess.run([sys.executable, self.root / "tools" / script, *arguments],
                              capture_output=True, text=True)
        return done.returncode, done.stdout

    def refuses(self, script, place):
        code, text = self.run_gate(script)
        self.assertEqual(code, 1, text)
        self.assertIn(place, text)

    def test_layers_accepts_what_the_table_allows(self):
        self.write("src/tensor/a.cpp", '#include <vector>\n#include "base/status.h"\n')
        self.assertEqual(self.run_gate("check_layers.py")[0], 0)

    def test_layers_refuses_an_upward_include(self):
        self.write("src/base/a.cpp", '#include <vector>\n#include "ir/graph.h"\n')
        self.refuses("check_layers.py", "src/base/a.cpp:2")

    def test_layers_refuses_onednn_outside_its_folder(self):
        self.write("src/kernels/native/a.cpp", "#include <oneapi/dnnl/dnnl.hpp>\n")
        self.refuses("check_layers.py", "src/kernels/native/a.cpp:1")

    def test_layers_refuses_inclusion_of_an_operator(self):
        self.write("src/passes/a.cpp", '#include "ops/conv.h"\n')
        self.refuses("check_layers.py", "passes must not include ops")

    def test_layers_refuses_the_public_header_inside(self):
        self.write("src/quant/a.cpp", "#include <intmill/intmill.h>\n")
        self.refuses("check_layers.py", "quant must not include the public header")

    def test_layers_refuses_a_circular_table(self):
        text = (self.root / "ARCHITECTURE.md").read_text()
        self.write("ARCHITECTURE.md", text.replace("comparing two | base |", "comparing two | ir |"))
        self.refuses("check_layers.py", "form a circle")

    def test_size_refuses_a_long_function(self):
        body = "  ++x;\n" * 90
        self.write("src/base/a.cpp", "int Count(int x) {\n" + body + "  return x;\n}\n")
        self.refuses("check_size.py", "src/base/a.cpp:1: Count has 93 lines")

    def test_size_refuses_a_long_file(self):
        self.write("src/base/a.h", "\n" * 601)
        self.refuses("check_size.py", "src/base/a.h: 601 lines")

    def test_size_does_not_count_namespaces_and_classes(self):
        members = "  int F() const { return 1; }\n" * 100
        self.write("src/base/a.h", "namespace x {\nclass A {\n" + members + "};\n}\n")
        self.assertEqual(self.run_gate("check_size.py")[0], 0)

    def test_words_refuses_printing_but_not_in_a_comment(self):
        self.write("src/base/a.cpp", "// printf(1)\nvoid F() { printf(\"x\"); }\n")
        self.refuses("check_words.py", "src/base/a.cpp:2: 'printf'")

    def test_words_refuses_unfinished_work(self):
        self.write("src/base/a.cpp", "// TO" "DO: the rest\n")
        self.refuses("check_words.py", "src/base/a.cpp:1")

    def shim(self, code):
        """A Java binding of two functions, one of which `code` should call."""
        self.write("tests/abi/intmill.json", '{"functions": [{"name": "intmill_a"}, {"name": "intmill_b"}]}')
        self.write("bindings/java/jni/unused.txt", "intmill_b: nobody wants it\n")
        self.write("bindings/java/src/main/java/io/github/intmill/Native.java", "static native void a();\n")
        self.write("bindings/java/jni/a.c", code)

    def test_jni_accepts_a_complete_shim(self):
        self.shim("NATIVE(void, a)(JNIEnv* env, jclass self) { intmill_a(); }\n")
        self.assertEqual(self.run_gate("check_jni.py")[0], 0)

    def test_jni_refuses_a_function_that_is_only_commented_on(self):
        self.shim("/* intmill_a() */ NATIVE(void, a)(JNIEnv* env, jclass self) {}\n")
        self.refuses("check_jni.py", "intmill_a is neither called nor in unused.txt")

    def test_jni_refuses_a_native_without_code(self):
        self.shim("void f(void) { intmill_a(); }\n")
        self.refuses("check_jni.py", "Native.java: a is not defined")

    def test_levels_refuses_a_function_that_objects_share(self):
        source = self.write("a.cpp", "inline int Shared() { return 1; }\nint (*use)() = Shared;\n")
        subprocess.run(["c++", "-c", source, "-o", self.root / "a.o"], check=True)
        code, text = self.run_gate("check_levels.py", self.root / "a.o")
        self.assertEqual(code, 1, text)
        self.assertIn("weak symbol Shared()", text)


class Count(unittest.TestCase):
    def test_counts_tap_tests_programs_and_skips(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "Testing").mkdir()
            (folder / "junit.xml").write_text(
                '<testsuite><testcase name="unit_a" status="run"/>'
                '<testcase name="unit_b" status="fail"/>'
                '<testcase name="plain" status="run"/>'
                '<testcase name="absent" status="notrun"><skipped/></testcase></testsuite>')
            (folder / "Testing/unit_a.tap").write_text("1..3\nok - a\nok - b  # SKIP no data\nok - c\n")
            (folder / "Testing/unit_b.tap").write_text("1..2\nok - a\n")
            done = subprocess.run([sys.executable, ROOT / "tools/count_tests.py", folder],
                                  capture_output=True, text=True)
            self.assertEqual(done.stdout.splitlines()[-1], "4 passed, 1 failed, 2 skipped")
            self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    unittest.main()
