#!/usr/bin/env python3
"""Every command on a real model with real data: Fashion-MNIST."""

import gzip
import json
import os
import struct
import unittest

from program import (CALIBRATION_IMAGES, MODEL, TEST_IMAGES, TEST_LABELS, ProgramTest, main,
                     read_npz, write_npy)

SCALE = ("--scale", "1/255")
CALIBRATION = ("--data", f"image={CALIBRATION_IMAGES}", "--samples", "64", *SCALE)
# Small layers gain nothing from more, and the machine may be busy.
ONE_THREAD = ("--threads", "1")
TEST = ("--data", f"image={TEST_IMAGES}", *SCALE, *ONE_THREAD)


def test_pixels(count):
    return gzip.decompress(TEST_IMAGES.read_bytes())[16:16 + 784 * count]


def test_labels(count):
    return gzip.decompress(TEST_LABELS.read_bytes())[8:8 + count]


def largest(row):
    return max(range(len(row)), key=row.__getitem__)


class Fashion(ProgramTest):
    def quantize(self, *arguments, name="fashion.im", threads="1"):
        self.succeeds("quantize", MODEL, "-o", name, *CALIBRATION, "--threads", threads, *arguments)
        return self.folder / name

    def logits(self, *arguments):
        self.succeeds("run", *arguments, "-o", "out.npz")
        descr, shape, content = read_npz(self.folder / "out.npz")["logits"]
        self.assertEqual((descr, shape[1]), ("<f4", 10))
        return [struct.unpack_from("<10f", content, 40 * i) for i in range(shape[0])]

    def test_inspect_lists_ports_and_layers(self):
        found = self.json_of("inspect", MODEL)
        self.assertEqual(list(found), ["inputs", "outputs", "layers"])
        self.assertEqual(found["inputs"],
                         [{"name": "image", "dtype": "f32", "shape": [-1, 1, 28, 28]}])
        self.assertEqual(found["outputs"], [{"name": "logits", "dtype": "f32", "shape": [-1, 10]}])
        ops = [layer["op"] for layer in found["layers"]]
        self.assertEqual(ops.count("Conv"), 2)
        self.assertIn("Conv", self.succeeds("inspect", MODEL))

    def test_quantize_repairs_what_it_is_told_to(self):
        plain = self.quantize(name="plain.im").read_bytes()
        for options in (("--rounding", "learned"), ("--smooth", "0.5"), ("--equalize", "all"),
                        ("--bias-correction", "none"), ("--weight-range", "mse", "--per-tensor")):
            with self.subTest(options=options):
                repaired = self.quantize(*options, name="repaired.im")
                self.assertNotEqual(repaired.read_bytes(), plain)
                found = self.json_of("verify", MODEL, repaired, *TEST, "--samples", "200")
                self.assertGreater(found["agreement"], 97)
        self.assertEqual(self.quantize("--rounding", "learned", name="one.im").read_bytes(),
                         self.quantize("--rounding", "learned", name="two.im", threads="2").read_bytes())

    def test_quantize_refuses_repairs_without_data_to_calibrate_with(self):
        self.fails(2, "--rounding", "quantize", MODEL, "-o", "x.im", "--dynamic", "--rounding", "learned")
        self.fails(2, "found '2', wanted auto or a number", "quantize", MODEL, "-o", "x.im", *CALIBRATION,
                   "--smooth", "2")
        self.assertEqual(self.files(), [])

    def test_quantize_reports_sizes_and_layers(self):
        figures = self.json_of("quantize", MODEL, "-o", "fashion.im", *CALIBRATION)
        self.assertEqual(list(figures), ["input_bytes", "output_bytes", "ratio", "quantized_layers",
                                         "float_layers", "seconds", "peak_rss_mb"])
        self.assertEqual(figures["input_bytes"], MODEL.stat().st_size)
        self.assertEqual(figures["output_bytes"], (self.folder / "fashion.im").stat().st_size)
        self.assertGreater(figures["ratio"], 3.5)
        # Two convolutions and two dense layers, and what follows them in integers.
        self.assertGreaterEqual(figures["quantized_layers"], 4)
        self.assertEqual(figures["float_layers"], 0)
        self.assertEqual(self.files(), ["fashion.im"])

    @unittest.skipIf("ASAN_OPTIONS" in os.environ, "AddressSanitizer keeps freed memory for a while")
    def test_mapped_data_does_not_stay_in_memory(self):
        data = self.folder / "zeros.npy"
        write_npy(data, "<f4", (10000, 1, 28, 28), b"")
        with open(data, "r+b") as file:
            file.truncate(data.stat().st_size + 10000 * 28 * 28 * 4)
        peaks = [self.json_of("quantize", MODEL, "-o", "x.im", "--data", f"image={data}", "--samples", samples,
                              "--threads", "1")["peak_rss_mb"] for samples in ("32", "10000")]
        self.assertLess(peaks[1], peaks[0] + 8)  # of 31 MB

    def test_file_remembers_how_it_was_made(self):
        path = self.quantize()
        facts = self.json_of("inspect", path, "--metadata")
        self.assertEqual(facts["data.0"], "image=calib2048-images-idx3-ubyte.gz")
        self.assertEqual(facts["preprocess.scale"], "1/255")
        self.assertEqual(facts["check.samples"], "64")
        self.assertGreater(float(facts["check.agreement"]), 90)

    def test_same_command_makes_the_same_bytes(self):
        one = self.quantize(name="one.im").read_bytes()
        two = self.quantize(name="two.im", threads="2").read_bytes()
        self.assertEqual(one, two)
        self.assertEqual(one, self.quantize("--batch", "5", name="five.im").read_bytes())

    def test_every_method_and_switch_gives_a_good_model(self):
        for switches in (("--method", "minmax"), ("--method", "average"), ("--method", "entropy"),
                         ("--method", "mse"), ("--percentile", "99.9"), ("--per-tensor",),
                         ("--symmetric",), ("--dynamic",), ("--activations", "s16")):
            path = self.quantize(*switches)
            figures = self.json_of("verify", MODEL, path, *TEST, "--samples", "300")
            self.assertGreater(figures["agreement"], 96, switches)

    def test_dynamic_needs_no_data(self):
        self.succeeds("quantize", MODEL, "-o", "dynamic.im", "--dynamic")
        figures = self.json_of("verify", MODEL, "dynamic.im", *TEST, "--samples", "500")
        self.assertGreater(figures["agreement"], 98)
        layers = self.json_of("inspect", "dynamic.im")["layers"]
        schemes = {layer["name"]: layer["scheme"] for layer in layers}
        self.assertEqual(schemes["/conv1/Conv"], "float")
        self.assertEqual(schemes["/fc1/Gemm"], "dynamic")

    def test_some_layers_read_sixteen_bits(self):
        printed = self.succeeds("quantize", MODEL, "-o", "some.im", *CALIBRATION,
                                "--int16", "*conv2*")
        self.assertIn("4 layers in 8 bits (1 with 16-bit inputs)", printed)
        layers = self.json_of("inspect", "some.im")["layers"]
        activations = {layer["name"]: layer["activations"] for layer in layers}
        self.assertEqual(activations["/conv1/Conv"], "u8")
        self.assertEqual(activations["/conv2/Conv"], "s16")
        self.assertIn("static s16: 1", self.succeeds("inspect", "some.im"))
        self.assertIn("INT16 x INT8", self.succeeds("explain", "some.im"))
        self.fails(2, "matches 'head*'", "quantize", MODEL, "-o", "some.im", *CALIBRATION,
                   "--int16", "head*")
        self.fails(2, "leave out --dynamic", "quantize", MODEL, "-o", "some.im", "--dynamic",
                   "--activations", "s16")

    def test_bf16_arithmetic_needs_no_data_and_is_named(self):
        text = self.succeeds("quantize", MODEL, "-o", "bf16.im", "--precision", "bf16-compute",
                             "--skip", "/conv1/*")
        self.assertIn("3 layers in BF16", text)
        figures = self.json_of("verify", MODEL, "bf16.im", *TEST, "--samples", "300")
        self.assertGreater(figures["agreement"], 98)
        layers = self.json_of("inspect", "bf16.im")["layers"]
        schemes = {layer["name"]: layer["scheme"] for layer in layers}
        self.assertEqual(schemes["/conv1/Conv"], "float")
        self.assertEqual(schemes["/conv2/Conv"], "bf16_compute")
        explained = {row["layer"]: row for row in self.json_of("explain", "bf16.im")["layers"]}
        self.assertEqual(explained["/fc1/Gemm"]["precision"], "bf16_compute")
        self.fails(2, "--dynamic, --weight-only and --precision: give one of them", "quantize", MODEL,
                   "-o", "x.im", "--precision", "bf16-compute", "--weight-only", "int4")
        self.fails(2, "--precision", "quantize", MODEL, "-o", "x.im", "--precision", "fp16-compute")
        (self.folder / "recipe.json").write_text('{"scheme": "fp16_compute"}')
        self.fails(1, "arithmetic in FP16, is not there", "quantize", MODEL, "-o", "x.im",
                   "--precision", "bf16", "--recipe", "recipe.json")

    def test_skipped_layers_stay_in_float(self):
        figures = self.json_of("quantize", MODEL, "-o", "all.im", *CALIBRATION, "--skip", "*")
        self.assertEqual(figures["quantized_layers"], 0)
        self.assertGreaterEqual(figures["float_layers"], 4)
        (self.folder / "recipe.json").write_text('{"layers": {"*": {"skip": 1}}}')
        figures = self.json_of("quantize", MODEL, "-o", "all.im", *CALIBRATION,
                               "--recipe", "recipe.json")
        self.assertEqual(figures["quantized_layers"], 0)
        layers = self.json_of("inspect", "all.im")["layers"]
        notes = {layer["op"]: layer["note"] for layer in layers}
        self.assertTrue(notes["Conv"] and notes["Gemm"], layers)

    def test_failed_quantize_leaves_the_old_file(self):
        (self.folder / "fashion.im").write_text("precious")
        for name in ("no_such_layer", "head*"):
            self.fails(2, f"matches '{name}'", "quantize", MODEL, "-o", "fashion.im", *CALIBRATION,
                       "--skip", name)
        self.assertEqual((self.folder / "fashion.im").read_text(), "precious")
        self.assertEqual(self.files(), ["fashion.im"])

    def test_output_that_cannot_be_written_is_named(self):
        self.fails(1, "no/such/folder/x.im", "quantize", MODEL, "-o", "no/such/folder/x.im",
                   *CALIBRATION)

    def test_verify_counts_right_answers(self):
        path = self.quantize()
        figures = self.json_of("verify", MODEL, path, *TEST, "--samples", "2000",
                               "--labels", TEST_LABELS, "--max-drop", "1")
        self.assertEqual(list(figures), ["samples", "reference", "candidate", "agreement", "outputs"])
        self.assertEqual(figures["samples"], 2000)
        for side in ("reference", "candidate"):
            self.assertEqual(list(figures[side]), ["top1", "top5"])
            self.assertGreater(figures[side]["top1"], 89)
            self.assertGreater(figures[side]["top5"], 99)
        self.assertGreater(figures["agreement"], 98)
        self.assertEqual(list(figures["outputs"][0]), ["name", "cosine", "sqnr_db", "max_abs"])
        self.assertGreater(figures["outputs"][0]["sqnr_db"], 20)

    def test_model_equals_itself(self):
        figures = self.json_of("verify", MODEL, MODEL, *TEST, "--samples", "100", "--max-drop", "0")
        self.assertEqual(figures["agreement"], 100)
        self.assertIsNone(figures["outputs"][0]["sqnr_db"])
        self.assertEqual(figures["outputs"][0]["max_abs"], 0)
        self.assertEqual(figures["reference"], {"top1": None, "top5": None})

    def test_too_large_a_drop_exits_with_1_and_still_reports(self):
        done = self.run_program("verify", MODEL, MODEL, *TEST, "--samples", "100", "--json",
                                "--labels", TEST_LABELS, "--max-drop", "-0.5")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout)["samples"], 100)
        self.assertIn("--max-drop", done.stderr)

    def test_labels_must_match_the_samples(self):
        labels = write_npy(self.folder / "labels.npy", "|u1", (5,), bytes(5))
        self.fails(1, "5 labels for 10000 samples", "verify", MODEL, MODEL, *TEST,
                   "--labels", labels)

    def test_labels_may_be_npy(self):
        pixels = write_npy(self.folder / "x.npy", "|u1", (50, 28, 28), test_pixels(50))
        labels = struct.pack("<50q", *test_labels(50))
        for shape in ((50,), (50, 1)):
            path = write_npy(self.folder / "y.npy", "<i8", shape, labels)
            figures = self.json_of("verify", MODEL, MODEL, "--data", pixels, *SCALE, "--labels", path)
            self.assertGreater(figures["reference"]["top1"], 80)

    def test_run_writes_what_the_model_says(self):
        rows = self.logits(MODEL, *TEST, "--samples", "500")
        labels = test_labels(10000)[::20]
        right = sum(largest(row) == label for row, label in zip(rows, labels))
        self.assertEqual(len(rows), 500)
        self.assertGreater(right, 440)

    def test_batch_size_does_not_change_results(self):
        path = self.quantize()
        whole = self.logits(path, *TEST, "--samples", "20")
        self.assertEqual(whole, self.logits(path, *TEST, "--samples", "20", "--batch", "1"))
        self.assertEqual(whole, self.logits(path, *TEST, "--samples", "20", "--batch", "7"))

    def test_every_form_of_data_gives_the_same(self):
        wanted = self.logits(MODEL, *TEST, "--samples", "10000")[:10]
        pixels = test_pixels(10)
        scaled = struct.pack("<7840f", *(pixel * (1 / 255) for pixel in pixels))
        forms = {"u8.npy": ("|u1", (10, 28, 28), pixels, SCALE),
                 "u8last.npy": ("|u1", (10, 28, 28, 1), pixels, SCALE),
                 "f32.npy": ("<f4", (10, 1, 28, 28), scaled, ())}
        for name, (descr, shape, content, options) in forms.items():
            path = write_npy(self.folder / name, descr, shape, content)
            found = self.logits(MODEL, "--data", f"image={path}", *options)
            for one, other in zip(found, wanted, strict=True):
                for a, b in zip(one, other):
                    self.assertAlmostEqual(a, b, delta=1e-4, msg=name)

    def test_raw_pixels_are_noted_once_and_quiet_is_quiet(self):
        raw = ("run", MODEL, "-o", "out.npz", "--data", TEST_IMAGES, "--samples", "2")
        self.assertEqual(self.run_program(*raw).stderr.count("--scale 1/255"), 1)
        self.assertEqual(self.run_program(*raw, "--quiet").stderr, "")

    def test_bench_times_runs(self):
        figures = self.json_of("bench", MODEL, "--duration", "0.1", "--threads", "1", "--batch", "3")
        self.assertEqual(list(figures), ["model", "threads", "batch", "median_ms", "p90_ms",
                                         "min_ms", "load_ms", "peak_rss_mb", "runs", "isa"])
        self.assertEqual((figures["threads"], figures["batch"]), (1, 3))
        self.assertLessEqual(0 < figures["min_ms"] and figures["min_ms"], figures["median_ms"])
        self.assertLessEqual(figures["median_ms"], figures["p90_ms"])
        self.assertGreaterEqual(figures["runs"], 5)
        self.assertTrue(figures["isa"])

    def test_bench_takes_shapes(self):
        figures = self.json_of("bench", MODEL, "--duration", "0.05", "--shape", "image=2x1x28x28")
        self.assertEqual(figures["batch"], 2)
        self.fails(1, "image", "bench", MODEL, "--shape", "image=1x1x30x28")
        self.fails(2, "'picture' is not an input", "bench", MODEL, "--shape", "picture=1x1x28x28")
        self.fails(2, "--shape", "bench", MODEL, "--shape", "image=1xbig")

    def test_doctor_tells_isa_threads_and_environment(self):
        facts = self.json_of("doctor")
        for key in ("version", "cpu", "isa_detected", "isa_effective", "onednn_version", "threads",
                    "write_execute"):
            self.assertTrue(facts[key], key)
        self.assertIsInstance(facts["environment"], dict)
        self.assertIn("isa_effective", self.succeeds("doctor"))


if __name__ == "__main__":
    main()
