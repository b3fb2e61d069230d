#!/usr/bin/env python3
"""Calibration in shards, and what each layer loses: Fashion-MNIST, and MobileNetV2 where it is."""

from program import (CALIBRATION_IMAGES, MODEL, SHARED, TEST_IMAGES, TEST_LABELS, ProgramTest,
                     main)

SCALE = ("--scale", "1/255", "--threads", "1")
CALIBRATION = ("--data", f"image={CALIBRATION_IMAGES}", "--samples", "96", "--batch", "8",
               *SCALE)
TEST = ("--data", f"image={TEST_IMAGES}", "--samples", "64", *SCALE)
ROW = ["layer", "op", "sqnr_db", "cosine", "agreement", "top1_change", "layer_sqnr_db",
       "layer_cosine", "min", "max", "clipped", "cause"]


class Shards(ProgramTest):
    def shard(self, index, count):
        name = f"s{index}of{count}.imstat"
        return name, self.json_of("calibrate", MODEL, *CALIBRATION, "--stats", name,
                                  "--shard", f"{index}/{count}")["samples"]

    def merged(self, count, order=None):
        shards = [self.shard(i, count) for i in range(1, count + 1)]
        names = [name for name, _ in shards]
        out = f"all{count}.imstat"
        figures = self.json_of("merge", *(order(names) if order else names), "-o", out)
        self.assertEqual(figures["files"], count)
        self.assertEqual(figures["samples"], 96)
        self.assertEqual(sum(samples for _, samples in shards), 96)
        return (self.folder / out).read_bytes()

    def model(self, stats):
        self.succeeds("quantize", MODEL, "-o", "x.im", "--stats", stats, "--threads", "1")
        return (self.folder / "x.im").read_bytes()

    def test_one_or_many_shards_make_the_same_model(self):
        self.succeeds("calibrate", MODEL, *CALIBRATION, "--stats", "one.imstat")
        one = (self.folder / "one.imstat").read_bytes()
        self.assertEqual(self.merged(3), one)
        # More shards than batches: some are empty.
        self.assertEqual(self.merged(16, order=lambda names: names[::-1]), one)
        model = self.model("one.imstat")
        self.assertEqual(self.model("all16.imstat"), model)
        direct = self.folder / "direct.im"
        self.succeeds("quantize", MODEL, "-o", direct, *CALIBRATION)
        figures = self.json_of("verify", direct, "x.im", *TEST)
        self.assertEqual(figures["outputs"][0]["max_abs"], 0)

    def test_merged_files_can_be_merged_again(self):
        names = [self.shard(i, 4)[0] for i in (1, 2, 3, 4)]
        self.succeeds("merge", *names[:2], "-o", "a.imstat")
        self.succeeds("merge", "a.imstat", *names[2:], "-o", "a.imstat")
        self.succeeds("merge", *names, "-o", "b.imstat")
        self.assertEqual((self.folder / "a.imstat").read_bytes(),
                         (self.folder / "b.imstat").read_bytes())

    def test_a_shard_given_twice_is_refused(self):
        name, _ = self.shard(1, 4)
        other, _ = self.shard(2, 4)
        self.fails(1, f"{name}: holds the same as {name}", "merge", name, other, name, "-o", "x.imstat")
        self.assertNotIn("x.imstat", self.files())

    def test_statistics_of_another_model_are_refused(self):
        self.succeeds("quantize", MODEL, "-o", "other.im", "--skip", "*", *CALIBRATION)
        name, _ = self.shard(1, 4)
        (self.folder / "other.imstat").write_bytes(b"not statistics" * 10)
        self.fails(1, "other.imstat: is not a file of calibration statistics", "quantize", MODEL,
                   "-o", "x.im", "--stats", "other.imstat")
        self.fails(1, "missing.imstat", "merge", name, "missing.imstat", "-o", "x.imstat")

    def test_wrong_shards_are_named(self):
        for text in ("0/4", "5/4", "3", "a/b", "1/0", "-1/2", "1/2/3"):
            self.fails(2, f"--shard: found '{text}'", "calibrate", MODEL, *CALIBRATION,
                       "--stats", "x.imstat", f"--shard={text}")
        self.assertEqual(self.files(), [])


class Sensitivity(ProgramTest):
    def test_every_layer_has_its_figures(self):
        found = self.json_of("sensitivity", MODEL, *TEST, "--labels", TEST_LABELS)
        self.assertEqual(list(found), [
            "samples", "reverse", "reference_top1", "int8_sqnr_db", "int8_agreement",
            "calibrate_seconds", "seconds", "steps", "steps_whole", "layers"])
        self.assertEqual((found["samples"], found["reverse"]), (64, False))
        self.assertGreater(found["reference_top1"], 85)
        self.assertEqual(len(found["layers"]), 4)
        for row in found["layers"]:
            self.assertEqual(list(row), ROW)
            self.assertGreater(row["sqnr_db"], 20, row)
        figures = [row["sqnr_db"] for row in found["layers"]]
        self.assertEqual(figures, sorted(figures))

    def test_reverse_and_statistics_from_a_file(self):
        self.succeeds("calibrate", MODEL, *CALIBRATION, "--stats", "s.imstat")
        found = self.json_of("sensitivity", MODEL, *TEST, "--stats", "s.imstat", "--reverse")
        self.assertIsNone(found["reference_top1"])
        self.assertGreater(found["layers"][0]["sqnr_db"], found["int8_sqnr_db"])
        text = self.succeeds("sensitivity", MODEL, *TEST, "--stats", "s.imstat", "--reverse")
        self.assertIn("one layer in float at a time", text)

    def test_table_is_for_people(self):
        text = self.succeeds("sensitivity", MODEL, *TEST, "--per-tensor", "--method", "minmax")
        self.assertIn("/conv1/Conv", text)
        self.assertIn("likely cause", text)

    def test_mobilenet_takes_half_of_whole_runs(self):
        model = SHARED / "models/onnx/mobilenetv2_1.0_tf_fp32.onnx"
        pictures = SHARED / "data/imagenet/images"
        if not model.exists() or not pictures.exists():
            self.skipTest("the folder 'shared' with models and data is missing")
        found = self.json_of("sensitivity", model, "--data", pictures, "--size", "224",
                             "--scale", "1/127.5", "--mean", "1", "--samples", "2")
        self.assertGreater(len(found["layers"]), 52)
        self.assertLess(found["steps"], 0.55 * found["steps_whole"])
        for row in found["layers"]:
            self.assertGreater(row["layer_sqnr_db"], 20, row)


class Explain(ProgramTest):
    def explain(self, *arguments):
        layers = self.json_of("explain", *arguments)["layers"]
        for row in layers:
            self.assertEqual(list(row), ["layer", "op", "precision", "why", "sqnr_db", "agreement",
                                         "cause", "saturating", "saturating_pair",
                                         "certified_sqnr_db", "help"])
        return {row["layer"]: row for row in layers}

    def test_quantized_file_says_why(self):
        self.succeeds("quantize", MODEL, "-o", "x.im", *CALIBRATION, "--skip", "/fc2/*")
        rows = self.explain("x.im")
        self.assertEqual(rows["/conv1/Conv"]["precision"], "INT8 static")
        self.assertEqual(rows["/fc2/Gemm"]["precision"], "float")
        self.assertEqual(rows["/fc2/Gemm"]["help"], "leave --skip out")
        self.assertIn("/fc2/Gemm", self.succeeds("explain", "x.im"))
        self.fails(2, "x.im is quantized", "explain", "x.im", *TEST)

    def test_float_model_is_measured(self):
        self.fails(2, "give --data", "explain", MODEL)
        rows = self.explain(MODEL, *TEST)
        self.assertEqual(rows["/fc1/Gemm"]["precision"], "INT8 static")
        self.assertGreater(rows["/fc1/Gemm"]["sqnr_db"], 20)

    def test_data_scaled_otherwise_is_named(self):
        self.succeeds("calibrate", MODEL, *CALIBRATION, "--stats", "s.imstat")
        wrong = ("--data", f"image={TEST_IMAGES}", "--samples", "16", "--threads", "1")
        rows = self.explain(MODEL, *wrong, "--stats", "s.imstat")
        self.assertIn("wrong preprocessing scale", rows["/conv1/Conv"]["cause"])
        self.assertIn("--scale", rows["/conv1/Conv"]["help"])
        self.assertNotIn("wrong", self.explain(MODEL, *TEST)["/conv1/Conv"]["cause"])

    def test_target_any_leaves_nothing_that_saturates(self):
        self.succeeds("quantize", MODEL, "-o", "vnni.im", *CALIBRATION)
        self.succeeds("quantize", MODEL, "-o", "any.im", *CALIBRATION, "--target", "any")
        marked = {name: row["saturating"] for name, row in self.explain("vnni.im").items()
                  if row["saturating"]}
        self.assertTrue(marked)
        facts = self.json_of("inspect", "vnni.im", "--metadata")
        self.assertEqual(facts["intmill.exact"], "vnni")
        self.assertEqual(int(facts["intmill.saturating_channels"]), sum(marked.values()))
        rows = self.explain("any.im")
        self.assertTrue(all(not row["saturating"] for row in rows.values()), rows)
        self.assertEqual(self.json_of("inspect", "any.im", "--metadata")["intmill.exact"], "any")
        figures = self.json_of("verify", MODEL, "any.im", *TEST)
        self.assertGreater(figures["agreement"], 96)


if __name__ == "__main__":
    main()
