#!/usr/bin/env python3
"""The program's command line: help, version, exit codes, and one line for each mistake."""

import subprocess

import program
from program import CALIBRATION_IMAGES, MODEL, TEST_IMAGES, ProgramTest, main, write_npy

COMMANDS = ("inspect", "quantize", "verify", "run", "bench", "compile", "export", "doctor")


class Usage(ProgramTest):
    def test_help_lists_every_command(self):
        text = self.succeeds("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", text)

    def test_help_of_every_command_fits_a_terminal_and_tells_the_json(self):
        for command in COMMANDS:
            text = self.succeeds(command, "--help")
            self.assertIn("JSON: ", text, command)
            self.assertLessEqual(max(map(len, text.splitlines())), 100, command)

    def test_version_names_the_libraries(self):
        text = self.succeeds("--version")
        self.assertRegex(text, r"0\.1\.0")
        self.assertIn("oneDNN", text)

    def test_wrong_command_lines_exit_with_2(self):
        self.fails(2, "'improve' is not a command", "improve")
        self.fails(2, "subcommand")
        self.fails(2, "MODEL", "inspect")
        self.fails(2, "--nonsense", "inspect", MODEL, "--nonsense")
        self.fails(2, "--method", "quantize", MODEL, "-o", "x.im", "--method", "luck")
        self.fails(2, "--samples", "run", MODEL, "-o", "x.npz", "--data", "x.npy", "--samples", "0")
        self.fails(2, "give --data, or --dynamic", "quantize", MODEL, "-o", "x.im")
        self.fails(2, "--gptq measures your data", "quantize", MODEL, "-o", "x.im",
                   "--weight-only", "int4", "--gptq")
        self.fails(2, "--threads", "bench", MODEL, "--threads", "many")
        self.fails(2, "--output", "export", MODEL)

    def test_data_must_name_inputs(self):
        self.fails(2, "'picture' is not an input", "run", MODEL, "-o", "x.npz",
                   "--data", f"picture={TEST_IMAGES}")
        self.fails(2, "given twice", "run", MODEL, "-o", "x.npz",
                   "--data", f"image={TEST_IMAGES}", "--data", f"image={TEST_IMAGES}")

    def test_numbers_for_pixels_are_checked(self):
        data = ("-o", "x.npz", "--data", TEST_IMAGES, "--samples", "1")
        self.fails(2, "--scale: 'big' is not a number", "run", MODEL, *data, "--scale", "big")
        self.fails(2, "--std: 0", "run", MODEL, *data, "--std", "0")
        self.fails(2, "3 values for 1 channels", "run", MODEL, *data, "--mean", "1,2,3")

    def test_result_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([program.PROGRAM, "inspect", MODEL], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)

    def test_missing_files_are_named(self):
        self.fails(1, "absent.onnx", "inspect", "absent.onnx")
        self.fails(1, "absent.npy", "run", MODEL, "-o", "x.npz", "--data", "image=absent.npy")
        self.fails(1, "absent.json", "quantize", MODEL, "-o", "x.im", "--recipe", "absent.json")

    def test_data_that_does_not_fit_is_explained(self):
        wide = write_npy(self.folder / "wide.npy", "<f4", (2, 30), bytes(240))
        self.fails(1, "samples are f32 30, the input wants f32 1x28x28", "run", MODEL,
                   "-o", "x.npz", "--data", wide)
        doubles = write_npy(self.folder / "doubles.npy", "<f8", (1, 28, 28), bytes(6272))
        self.fails(1, "astype('float32')", "run", MODEL, "-o", "x.npz", "--data", doubles)
        empty = write_npy(self.folder / "empty.npy", "<f4", (0, 1, 28, 28), b"")
        self.fails(1, "holds no samples", "run", MODEL, "-o", "x.npz", "--data", empty)

    def test_file_that_is_not_a_model_is_refused(self):
        (self.folder / "text.onnx").write_text("hello")
        self.fails(1, "text.onnx", "inspect", "text.onnx")

    def test_damaged_recipes_are_refused_with_their_place(self):
        data = ("-o", "x.im", "--data", CALIBRATION_IMAGES, "--samples", "1")
        for text in ("{", "[]", '{"speed": 1}', '{"percentile": "high"}', '{"calibration": "luck"}'):
            (self.folder / "recipe.json").write_text(text)
            self.fails(1, "recipe.json: ", "quantize", MODEL, *data, "--recipe", "recipe.json")
        self.assertEqual(self.files(), ["recipe.json"])


if __name__ == "__main__":
    main()
