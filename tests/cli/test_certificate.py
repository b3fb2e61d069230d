#!/usr/bin/env python3
"""The proof in the file: written by quantize, shown by inspect and explain, replayed by verify."""

import json

from program import (CALIBRATION_IMAGES, MODEL, ProgramTest, TEST_IMAGES, main)

LABELS = CALIBRATION_IMAGES.parent / "calib2048-labels-idx1-ubyte.gz"
DATA = ("--data", f"image={CALIBRATION_IMAGES}")
QUANTIZE = (*DATA, "--samples", "48", "--scale", "1/255", "--threads", "1")


class Certificate(ProgramTest):
    def quantize(self, name, *arguments):
        self.succeeds("quantize", MODEL, "-o", name, *QUANTIZE, *arguments)
        return (self.folder / name).read_bytes()

    def facts(self, name):
        return {(row["fact"], row["name"]): row["value"]
                for row in self.json_of("inspect", name)["certificate"]}

    def test_same_inputs_give_the_same_bytes(self):
        one = self.quantize("one.im", "--labels", LABELS)
        self.assertEqual(self.quantize("two.im", "--labels", LABELS), one)
        self.assertNotEqual(self.quantize("other.im"), one)

    def test_it_says_what_was_measured_on_what(self):
        self.quantize("x.im", "--labels", LABELS, "--skip", "/fc2/*")
        facts = self.facts("x.im")
        for fact in ("reference", "model", "data", "labels"):
            self.assertRegex(facts[fact, ""], "^[0-9a-f]{32}$")
        self.assertEqual(json.loads(facts["recipe", ""]), {"layers": {"/fc2/*": {"skip": 1}}})
        self.assertEqual(facts["samples", ""], 48)
        self.assertEqual(facts["reference", ""],
                         self.json_of("inspect", MODEL, "--metadata")["intmill.digest"])
        figures = self.json_of("verify", MODEL, "x.im", *QUANTIZE, "--labels", LABELS)
        self.assertAlmostEqual(facts["candidate_top1", ""], figures["candidate"]["top1"], 2)
        self.assertAlmostEqual(facts["output_sqnr_db", "logits"],
                               figures["outputs"][0]["sqnr_db"], 2)
        self.assertGreater(facts["layer_sqnr_db", "/conv1/Conv"], 20)
        self.assertIn("certificate: on 48 samples", self.succeeds("inspect", "x.im"))
        rows = {r["layer"]: r for r in self.json_of("explain", "x.im")["layers"]}
        self.assertAlmostEqual(rows["/conv1/Conv"]["certified_sqnr_db"],
                               facts["layer_sqnr_db", "/conv1/Conv"], 2)

    def test_it_is_replayed_without_the_float_model(self):
        self.quantize("x.im", "--labels", LABELS)
        found = self.json_of("verify", "x.im", *DATA, "--labels", LABELS)
        self.assertTrue(found["holds"])
        kinds = {row["figure"] for row in found["figures"]}
        self.assertLessEqual({"data", "samples", "labels", "agreement", "candidate_top1",
                              "output_sqnr_db", "layer_sqnr_db"}, kinds)
        for row in found["figures"]:
            self.assertEqual(row["found"], row["recorded"], row)
        # Batches and threads do not show, and labels may be left out.
        text = self.succeeds("verify", "x.im", *DATA, "--batch", "7", "--threads", "2")
        self.assertIn("the certificate holds", text)

    def test_other_data_is_named(self):
        self.quantize("x.im")
        for arguments in ((f"--data=image={TEST_IMAGES}",), (*DATA, "--scale", "1/128"),
                          (*DATA, "--samples", "47")):
            self.fails(1, "not the data that x.im was certified with", "verify", "x.im",
                       *arguments)

    def test_a_model_without_one_is_named(self):
        self.fails(1, "the model has no certificate", "verify", MODEL, *DATA)
        self.succeeds("quantize", MODEL, "-o", "x.im", "--dynamic")
        self.fails(1, "the model has no certificate", "verify", "x.im", *DATA)
        self.assertNotIn("certificate", self.json_of("inspect", "x.im"))

    def test_another_reference_is_noted(self):
        self.quantize("x.im")
        self.succeeds("quantize", MODEL, "-o", "float.im", *QUANTIZE, "--skip", "*")
        self.succeeds("quantize", MODEL, "-o", "int8.im", *QUANTIZE, "--per-tensor")
        done = self.run_program("verify", "int8.im", "x.im", *QUANTIZE)
        self.assertIn("x.im was not made from int8.im", done.stderr)
        done = self.run_program("verify", "float.im", "x.im", *QUANTIZE)
        self.assertNotIn("was not made from", done.stderr)


if __name__ == "__main__":
    main()
