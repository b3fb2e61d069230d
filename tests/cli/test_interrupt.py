#!/usr/bin/env python3
"""Ctrl-C at any moment: the program dies of the signal and leaves no half file."""

import signal
import subprocess
import time

import program
from program import CALIBRATION_IMAGES, MODEL, TEST_IMAGES, ProgramTest, main


class Interrupt(ProgramTest):
    def interrupt(self, after, *arguments):
        process = subprocess.Popen([program.PROGRAM, *map(str, arguments)], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors

    def test_long_quantize_stops_at_once(self):
        # Every sample one by one: far longer than the wait.
        code, errors = self.interrupt(0.5, "quantize", MODEL, "-o", "x.im", "--batch", "1",
                                      "--data", TEST_IMAGES, "--scale", "1/255",
                                      "--method", "entropy", "--threads", "1")
        self.assertEqual(code, -signal.SIGINT, errors)
        self.assertEqual(self.files(), [])

    def test_no_moment_leaves_a_half_file(self):
        for step in range(20):
            code, errors = self.interrupt(0.02 * step, "quantize", MODEL, "-o", "x.im", "--data",
                                          CALIBRATION_IMAGES, "--samples", "200", "--scale", "1/255")
            self.assertIn(code, (0, -signal.SIGINT), errors)
            self.assertEqual(self.files(), ["x.im"] if code == 0 else [])
            if code == 0:
                self.succeeds("inspect", "x.im")
                (self.folder / "x.im").unlink()

    def test_interrupted_run_leaves_nothing(self):
        code, errors = self.interrupt(0.3, "run", MODEL, "-o", "out.npz", "--data", TEST_IMAGES,
                                      "--scale", "1/255", "--batch", "1", "--threads", "1")
        self.assertIn(code, (0, -signal.SIGINT), errors)
        self.assertEqual(self.files(), ["out.npz"] if code == 0 else [])

    def test_bench_stops(self):
        code, _ = self.interrupt(0.5, "bench", MODEL, "--duration", "60")
        self.assertEqual(code, -signal.SIGINT)


if __name__ == "__main__":
    main()
