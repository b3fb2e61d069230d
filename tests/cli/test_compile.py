#!/usr/bin/env python3
"""Compiled sessions: written, described, run with the same bits, refused where they do not belong."""

from program import CALIBRATION_IMAGES, MODEL, TEST_IMAGES, ProgramTest, main, read_npz

QUANTIZE = ("--data", f"image={CALIBRATION_IMAGES}", "--samples", "64", "--scale", "1/255",
            "--threads", "1")


class Compile(ProgramTest):
    def setUp(self):
        super().setUp()
        self.succeeds("quantize", MODEL, "-o", "fashion.im", *QUANTIZE)

    def compile(self, *arguments):
        return self.json_of("compile", "fashion.im", "-o", "fashion.ims", "--threads", "1",
                            *arguments)

    def logits(self, model, *arguments):
        self.succeeds("run", model, "-o", "out.npz", "--data", f"image={TEST_IMAGES}",
                      "--samples", "50", "--scale", "1/255", *arguments)
        return read_npz(self.folder / "out.npz")["logits"]

    def test_figures_are_those_of_the_file(self):
        figures = self.compile("--batch", "10")
        self.assertEqual(figures, {"output": "fashion.ims", "threads": 1, "inputs": "10x1x28x28",
                                   "bytes": (self.folder / "fashion.ims").stat().st_size})

    def test_runs_with_the_same_bits(self):
        self.compile("--batch", "10")
        wanted = self.logits("fashion.im", "--threads", "1")
        self.assertEqual(self.logits("fashion.ims", "--threads", "1", "--batch", "10"), wanted)
        self.assertEqual(self.logits("fashion.ims", "--threads", "1", "--batch", "7"), wanted)

    def test_inspect_says_what_it_was_compiled_for(self):
        self.compile()
        self.assertNotIn("compiled", self.json_of("inspect", "fashion.im"))
        facts = self.json_of("inspect", "fashion.ims")["compiled"]
        self.assertEqual(facts["threads"], "1")
        self.assertEqual(facts["inputs"], "1x1x28x28")
        self.assertIn("\na compiled session, for\n", self.succeeds("inspect", "fashion.ims"))

    def test_is_refused_with_other_threads_or_rebuilt(self):
        self.compile()
        run = ("run", "fashion.ims", "-o", "out.npz", "--data", f"image={TEST_IMAGES}",
               "--samples", "3", "--scale", "1/255", "--threads", "2")
        self.fails(1, "compiled for threads '1', wanted '2'", *run)
        self.assertNotIn("out.npz", self.files())
        self.succeeds(*run, "--rebuild-stale")

    def test_serves_as_a_model_everywhere(self):
        self.compile()
        self.succeeds("export", "fashion.ims", "-o", "a.onnx")
        self.succeeds("export", "fashion.im", "-o", "b.onnx")
        self.assertEqual((self.folder / "a.onnx").read_bytes(),
                         (self.folder / "b.onnx").read_bytes())

    def test_damage_is_named(self):
        self.compile()
        whole = (self.folder / "fashion.ims").read_bytes()
        (self.folder / "cut.ims").write_bytes(whole[:-1])
        self.fails(1, "cut.ims: the file has", "inspect", "cut.ims")
        changed = bytearray(whole)
        changed[-1] ^= 1
        (self.folder / "changed.ims").write_bytes(changed)
        self.fails(1, "changed.ims: the session: packed weights: section", "bench", "changed.ims",
                   "--duration", "0.1")


if __name__ == "__main__":
    main()
