#!/usr/bin/env python3
"""Budgets of accuracy, time and size; and the page about it all."""

import html.parser
import re
import shutil
import subprocess

from program import (CALIBRATION_IMAGES, MODEL, TEST_IMAGES, TEST_LABELS, ProgramTest, main)

DATA = ("--data", f"image={TEST_IMAGES}", "--scale", "1/255", "--samples", "64", "--threads", "1")
LABELS = ("--labels", TEST_LABELS)


def floats_of(plan):
    return sum(plan["layers"].values()) - plan["layers"]["INT8"]


class Budgets(ProgramTest):
    def quantize(self, *arguments):
        return self.json_of("quantize", MODEL, "-o", "x.im", *DATA, *arguments)

    def refused(self, message, *arguments):
        done = self.run_program("quantize", MODEL, "-o", "x.im", *DATA, *arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("frontier by ", done.stdout)
        self.assertIn(message, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertEqual(self.files(), [])

    def test_no_drop_ends_with_a_verified_plan_and_its_proof(self):
        found = self.quantize(*LABELS, "--max-drop", "0")["mixed"]
        chosen, = [plan for plan in found["plans"] if plan["chosen"]]
        self.assertLessEqual(chosen["drop"], 0)
        self.assertGreater(chosen["latency_ms"], 0)
        self.assertEqual(len(found["float_layers"]), floats_of(chosen))
        verified = self.json_of("verify", MODEL, "x.im", *DATA, *LABELS)
        self.assertGreaterEqual(verified["candidate"]["top1"], verified["reference"]["top1"])
        self.assertTrue(self.json_of("verify", "x.im", *DATA[:2], *LABELS)["holds"])

    def test_a_strict_metric_leaves_layers_in_float(self):
        found = self.quantize("--max-drop", "1e-5", "--metric", "mse")["mixed"]
        chosen, = [plan for plan in found["plans"] if plan["chosen"]]
        self.assertLessEqual(chosen["drop"], 1e-5)
        self.assertGreater(floats_of(chosen), 0)
        floats = {row["name"] for row in self.json_of("inspect", "x.im")["layers"]
                  if row["scheme"] in ("float", "fp16", "bf16_compute", "weight_only")}
        self.assertLessEqual(set(found["float_layers"]), floats)

    def test_the_file_keeps_the_budget_of_bytes(self):
        found = self.quantize("--max-bytes", "130K")
        self.assertLessEqual(found["output_bytes"], 130000)
        self.assertGreater(found["quantized_layers"], 0)

    def test_halves_serve_where_integers_lose_too_much_and_floats_are_too_large(self):
        # Products in BF16 lose more than this budget; within a larger one times would decide.
        found = self.quantize("--metric", "mse", "--max-drop", "1e-6", "--max-bytes", "240K")
        chosen, = [plan for plan in found["mixed"]["plans"] if plan["chosen"]]
        self.assertLessEqual(chosen["drop"], 1e-6)
        self.assertLessEqual(found["output_bytes"], 240000)
        self.assertGreater(chosen["layers"]["FP16 weights"], 0)

    def test_products_in_bf16_are_among_the_plans(self):
        found = self.quantize("--metric", "mse", "--max-drop", "1e-4")["mixed"]
        narrow = [plan for plan in found["plans"] if plan["layers"]["BF16"] > 0]
        self.assertTrue(any(plan["drop"] < 1e-4 for plan in narrow), found["plans"])

    def test_impossible_budgets_say_which_binds(self):
        self.refused("--max-bytes binds: no plan keeps it", "--max-bytes", "1K")
        self.refused("--max-latency-ms binds", "--max-latency-ms", "0.00001")
        # Either is possible, both are not.
        self.refused("--max-drop binds: without it", "--max-drop", "0", "--metric", "mse",
                     "--max-bytes", "200K")

    def test_a_program_of_the_users_can_be_the_metric(self):
        judge = self.folder.parent / f"{self.folder.name}-judge.sh"
        self.addCleanup(lambda: judge.unlink(missing_ok=True))
        judge.write_text("#!/bin/sh\necho looked at $1\n[ $(wc -c < $1) -gt 300000 ]\n")
        judge.chmod(0o755)
        found = self.quantize("--metric", judge)["mixed"]
        chosen, = [plan for plan in found["plans"] if plan["chosen"]]
        self.assertEqual(chosen["drop"], 0)
        self.assertGreater(chosen["bytes"], 300000)
        self.assertEqual(self.files(), ["x.im"])

    def test_mistakes_are_named(self):
        self.fails(2, "--max-bytes: found '4 parsecs'", "quantize", MODEL, "-o", "x.im", *DATA,
                   "--max-bytes", "4 parsecs")
        self.fails(2, "--metric: found 'luck'", "quantize", MODEL, "-o", "x.im", *DATA,
                   "--max-drop", "1", "--metric", "luck")
        self.fails(2, "--metric top5: give --labels", "quantize", MODEL, "-o", "x.im", *DATA,
                   "--max-drop", "1", "--metric", "top5")
        self.fails(2, "give --data", "quantize", MODEL, "-o", "x.im", "--dynamic", "--max-drop", "1")


class Page(html.parser.HTMLParser):
    """What a page consists of; unclosed or crossed tags are errors."""
    VOID = {"meta", "rect", "line", "path", "circle", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes = [], [], []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open and self.open[-1] == tag, (tag, self.open)
            self.open.pop()


class Report(ProgramTest):
    def page(self, *arguments):
        self.succeeds("report", *arguments, "-o", "report.html")
        text = (self.folder / "report.html").read_text(encoding="utf-8")
        return text, Page(text)

    def check(self, text, page):
        """It asks for nothing, and can be used without eyes and without a mouse."""
        self.assertNotIn("script", page.tags)
        self.assertNotIn("://", text)
        self.assertIsNone(re.search(r"url\(|@import", text))
        self.assertIn("prefers-color-scheme:dark", text)
        for tag, attributes in page.attributes:
            if tag == "svg":
                self.assertEqual(attributes["role"], "img")
                self.assertTrue(attributes["aria-label"])
            if attributes.get("class") == "scroll":
                self.assertEqual(attributes["tabindex"], "0")
                self.assertTrue(attributes["aria-label"])
            if tag == "th":
                self.assertIn(attributes["scope"], ("row", "col"))

    def test_float_model_has_everything(self):
        text, page = self.page(MODEL, *DATA, *LABELS)
        self.check(text, page)
        for section in ("accuracy", "layers", "sensitivity", "frontier", "histograms", "graph",
                        "proof"):
            self.assertIn(f'<h2 id="{section}">', text)
        self.assertIn("/conv1/Conv", text)
        self.assertGreater(page.tags.count("details"), 4)

    def test_quantized_file_alone_shows_its_certificate(self):
        self.succeeds("quantize", MODEL, "-o", "x.im", *DATA)
        text, page = self.page("x.im")
        self.check(text, page)
        self.assertIn('<h2 id="layers">', text)
        text, page = self.page("x.im", "--reference", MODEL, *DATA, "--no-frontier")
        self.check(text, page)
        self.assertIn("Size before", text)
        self.assertNotIn('<h2 id="frontier">', text)
        self.fails(2, "is a float model: what 8 bits cost it", "report", MODEL, "-o", "y.html")

    def test_contrast_is_enough_in_both_schemes(self):
        self.succeeds("quantize", MODEL, "-o", "x.im", *DATA)
        text, _ = self.page("x.im")
        schemes = re.findall(r":root\{([^}]*)\}", text)
        self.assertEqual(len(schemes), 2)
        for scheme in schemes:
            colors = dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", scheme.replace("\n", "")))
            for front, back, least in (("text", "back", 4.5), ("text", "card", 4.5),
                                       ("quiet", "back", 4.5), ("quiet", "card", 4.5),
                                       ("int8", "int8-back", 4.5), ("fp32", "fp32-back", 4.5),
                                       ("text", "int8-back", 4.5), ("text", "fp32-back", 4.5),
                                       ("bar", "back", 3), ("bar", "clip", 3), ("line", "back", 3),
                                       ("focus", "back", 3), ("focus", "clip", 3)):
                self.assertGreaterEqual(contrast(colors[front], colors[back]), least, (front, back))

    def test_a_browser_draws_it(self):
        browser = shutil.which("chromium") or shutil.which("chromium-browser")
        if browser is None:
            self.skipTest("chromium is not installed")
        self.succeeds("quantize", MODEL, "-o", "x.im", *DATA)
        self.page("x.im")
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=412,900",
             f"--user-data-dir={self.folder}/profile", "--screenshot=page.png",
             (self.folder / "report.html").as_uri()],
            cwd=self.folder, capture_output=True, text=True, timeout=100)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertGreater((self.folder / "page.png").stat().st_size, 10000)


def contrast(a, b):
    """WCAG 2: of relative luminances."""
    def luminance(color):
        color = color[1:] if len(color) == 7 else "".join(c * 2 for c in color[1:])
        parts = [int(color[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        linear = [c / 12.92 if c <= .03928 else ((c + .055) / 1.055) ** 2.4 for c in parts]
        return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2]
    low, high = sorted((luminance(a), luminance(b)))
    return (high + .05) / (low + .05)


if __name__ == "__main__":
    main()
