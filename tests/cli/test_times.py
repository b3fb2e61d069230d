#!/usr/bin/env python3
"""What the program tells of times, whatever the times are: --profile, --compare, --never-slower."""

import struct

from program import CALIBRATION_IMAGES, MODEL, ProgramTest, main

CALIBRATION = ("--data", f"image={CALIBRATION_IMAGES}", "--samples", "64", "--scale", "1/255")
SHORT = ("--threads", "1", "--duration", "0.05")
BENCH_KEYS = ["model", "threads", "batch", "median_ms", "p90_ms", "min_ms", "load_ms",
              "peak_rss_mb", "runs", "isa"]
QUANTIZE_KEYS = ["input_bytes", "output_bytes", "ratio", "quantized_layers", "float_layers",
                 "seconds", "peak_rss_mb"]


def field(number, value):
    """One field of a protobuf message: an integer, or bytes."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n % 128 + 128]) + varint(n // 128)
    if isinstance(value, int):
        return varint(8 * number) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(8 * number + 2) + varint(len(value)) + value


def product_model(path, name, dims):
    """An ONNX file: y = `name` x 4 x 4 ones; a dimension of text is free."""
    def port(port_name, sizes):
        shape = b"".join(field(1, field(1 if isinstance(d, int) else 2, d)) for d in sizes)
        return field(1, port_name) + field(2, field(1, field(1, 1) + field(2, shape)))
    weight = (field(1, 4) + field(1, 4) + field(2, 1) + field(8, "w") +
              field(9, struct.pack("<16f", *[1] * 16)))
    node = (field(1, name) + field(1, "w") + field(2, "y") + field(3, "product") +
            field(4, "MatMul"))
    graph = (field(1, node) + field(2, "g") + field(5, weight) + field(11, port(name, dims)) +
             field(12, port("y", dims)))
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 13)))
    return path


class Times(ProgramTest):
    def quantize(self, *arguments):
        self.succeeds("quantize", MODEL, "-o", "fashion.im", *CALIBRATION, *arguments)
        return self.folder / "fashion.im"

    def scheme_of_layers(self, path):
        return {layer["name"]: layer["scheme"]
                for layer in self.json_of("inspect", path)["layers"]}

    def test_profile_has_a_row_for_each_step_and_changes_no_other_key(self):
        figures = self.json_of("bench", MODEL, *SHORT, "--profile")
        self.assertEqual(list(figures), BENCH_KEYS + ["profile"])
        for row in figures["profile"]:
            self.assertEqual(list(row), ["layer", "op", "kernel", "isa", "us", "gops", "share",
                                         "note"])
            self.assertGreater(row["us"], 0)
            self.assertTrue(row["kernel"] and row["isa"], row)
        self.assertAlmostEqual(sum(row["share"] for row in figures["profile"]), 100, delta=0.5)
        ops = [row["op"] for row in figures["profile"]]
        self.assertLess(ops.index("Conv"), ops.index("Gemm"))  # in running order

    def test_profile_gives_a_rate_to_products_only(self):
        rows = self.json_of("bench", MODEL, *SHORT, "--profile", "--batch", "2")["profile"]
        for row in rows:
            if row["op"] in ("Conv", "Gemm"):
                self.assertGreater(row["gops"], 0)
            else:
                self.assertIsNone(row["gops"], row)
        # 2 operations x 2 images x 28 x 28 places x 9 weights x the channels of the convolution.
        conv = next(row for row in rows if row["op"] == "Conv")
        channels = conv["gops"] * 1000 * conv["us"] / (2 * 2 * 28 * 28 * 9)
        self.assertAlmostEqual(channels, round(channels), delta=0.02 * channels)

    def test_profile_says_what_a_quantized_model_computes_in_floats(self):
        path = self.quantize("--skip", "/conv1/Conv")
        rows = self.json_of("bench", path, *SHORT, "--profile")["profile"]
        notes = {row["layer"]: row["note"] for row in rows}
        self.assertEqual(notes["/conv1/Conv"], "in float: left in float by the options")
        self.assertEqual(notes["/fc1/Gemm"], "")
        self.assertIn("QuantizeLinear", [row["op"] for row in rows])

    def test_profile_is_a_table_with_a_total(self):
        text = self.succeeds("bench", MODEL, *SHORT, "--profile")
        header = next(line for line in text.splitlines() if line.startswith("layer "))
        self.assertEqual(header.split(), ["layer", "op", "kernel", "isa", "us", "GOP/s", "%",
                                          "note"])
        self.assertRegex(text, r"\ntotal .* 100\.0")

    def test_compare_lists_layers_of_both_models(self):
        path = self.quantize()
        figures = self.json_of("bench", path, *SHORT, "--compare", MODEL)
        self.assertEqual(list(figures), BENCH_KEYS + ["compare"])
        compared = figures["compare"]
        self.assertEqual(list(compared), ["model", "fp32_ms", "int8_ms", "ratio", "layers",
                                          "slower"])
        self.assertEqual(compared["model"], str(MODEL))
        self.assertAlmostEqual(compared["ratio"], compared["fp32_ms"] / compared["int8_ms"],
                               delta=0.05 * compared["ratio"])
        layers = {layer["layer"]: layer for layer in compared["layers"]}
        for name in ("/conv1/Conv", "/conv2/Conv", "/fc1/Gemm"):
            self.assertEqual(list(layers[name]), ["layer", "op", "fp32_us", "int8_us"])
            self.assertGreater(layers[name]["fp32_us"], 0)
            self.assertGreater(layers[name]["int8_us"], 0)
        # Quantizing and dequantizing is counted with the layers, and nothing is left over.
        self.assertFalse([name for name in layers if name.startswith("(")], layers)
        for name in compared["slower"]:
            self.assertGreater(layers[name]["int8_us"], layers[name]["fp32_us"])

    def test_compare_says_in_words_which_is_faster(self):
        path = self.quantize()
        text = self.succeeds("bench", path, *SHORT, "--compare", MODEL, "--profile")
        self.assertRegex(text, r"INT8 is [0-9.]+ times as (fast|slow) as FP32: ")
        self.assertRegex(text, r"\nINT8 is slower in (no layer|\d+ of \d+ layers)")
        self.assertEqual(text.count("\ntotal "), 2)

    def test_compare_wants_a_model_with_the_same_inputs(self):
        other = product_model(self.folder / "other.onnx", "x", [1, 4])
        self.fails(2, "--compare: input 'x' of", "bench", MODEL, *SHORT, "--compare", other)
        self.fails(1, "absent.onnx", "bench", MODEL, *SHORT, "--compare", "absent.onnx")

    def test_never_slower_tells_what_it_kept_and_writes_a_model_that_runs(self):
        figures = self.json_of("quantize", MODEL, "-o", "fast.im", *CALIBRATION, "--never-slower")
        self.assertEqual(list(figures), QUANTIZE_KEYS + ["never_slower"])
        found = figures["never_slower"]
        self.assertEqual(list(found), ["kept_float", "float_ms", "int8_ms"])
        self.assertGreater(found["float_ms"], 0)
        self.assertGreater(found["int8_ms"], 0)
        schemes = self.scheme_of_layers("fast.im")
        for layer in found["kept_float"]:
            self.assertEqual(list(layer), ["layer", "float_us", "int8_us"])
            self.assertIn(schemes[layer["layer"]], ("float", ""))
        if found["int8_ms"] > found["float_ms"]:
            self.assertEqual(figures["quantized_layers"], 0)
        facts = self.json_of("inspect", "fast.im", "--metadata")
        self.assertTrue(facts["never_slower.isa"])
        self.assertEqual(facts["never_slower.threads"], "1")
        self.assertEqual(facts["never_slower.kept_float"], str(len(found["kept_float"])))
        self.assertEqual(facts["check.samples"], "64")
        agreement = self.json_of("verify", MODEL, "fast.im", *CALIBRATION)["agreement"]
        self.assertGreater(agreement, 90)

    def test_never_slower_needs_no_data_for_a_dynamic_model(self):
        text = self.succeeds("quantize", MODEL, "-o", "fast.im", "--dynamic", "--never-slower",
                             "--threads", "2")
        self.assertRegex(text, r"on this machine: FP32 [0-9.]+ ms, INT8 [0-9.]+ ms")
        self.assertRegex(text, r"no layer is slower|kept in float because INT8 is slower")
        self.assertEqual(self.json_of("inspect", "fast.im", "--metadata")["never_slower.threads"],
                         "2")

    def test_without_never_slower_the_file_does_not_speak_of_it(self):
        facts = self.json_of("inspect", self.quantize(), "--metadata")
        self.assertFalse([key for key in facts if key.startswith("never_slower")])

    def test_never_slower_needs_data_where_sizes_are_free(self):
        free = product_model(self.folder / "free.onnx", "x", [1, "length", 4])
        self.fails(2, "--never-slower: input 'x' is 1x?x4", "quantize", free, "-o", "free.im",
                   "--dynamic", "--never-slower")
        self.assertEqual(self.files(), ["free.onnx"])
        batched = product_model(self.folder / "batched.onnx", "x", ["batch", 4])
        self.succeeds("quantize", batched, "-o", "batched.im", "--dynamic", "--never-slower")


if __name__ == "__main__":
    main()
