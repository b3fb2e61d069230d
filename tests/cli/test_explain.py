#!/usr/bin/env python3
"""A pathology planted in each of five models is named, and a sound model is not accused."""

import struct

from onnx_file import Chain
from program import ProgramTest, main, write_npy

CHANNELS = 4
PIXELS = 16
SAMPLES = 24
# Of each output channel: one large weight beside a zero, so that no pair of the integers can
# saturate; the large one at another place for each.
SOUND = [[1, 0, .3, -.2], [.2, -.1, 0, 1], [0, 1, -.3, .1], [.1, .3, 1, 0]]

BIAS = (.1, .2, .1, .15)


def numbers(count, seed):
    """Evenly spread over [-1, 1), the same everywhere."""
    state = seed
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2 ** 31
        yield state / 2 ** 30 - 1


class Pathologies(ProgramTest):
    def data(self, name, factor=1):
        values = [factor * x for x in numbers(SAMPLES * CHANNELS * PIXELS, 7)]
        return write_npy(self.folder / name, "<f4", (SAMPLES, CHANNELS, 4, 4),
                         struct.pack(f"<{len(values)}f", *values))

    def model(self, first=SOUND, second=SOUND, bias0=BIAS, bias1=BIAS):
        """conv0, Relu, conv1, Relu, conv2; `first` and `second` are the weights of conv0, conv1."""
        chain = Chain("x", ["n", CHANNELS, 4, 4])
        shape = [CHANNELS, CHANNELS, 1, 1]
        for i, (rows, bias) in enumerate(((first, bias0), (second, bias1), (SOUND, BIAS))):
            chain.add("Conv", f"conv{i}", w=(shape, [w for row in rows for w in row]),
                      b=([CHANNELS], list(bias)))
            if i < 2:
                chain.add("Relu", f"relu{i}")
        return chain.write(self.folder / "model.onnx", ["n", CHANNELS, 4, 4])

    def explain(self, model, *arguments, data=None):
        found = self.json_of("explain", model, "--data", data or self.data("x.npy"), *arguments)
        return {row["layer"]: row for row in found["layers"]}

    def balanced(self, factors):
        """Channel i of conv0 is `factors[i]` times as large, and conv1 takes that back."""
        first = [[w * f for w in row] for row, f in zip(SOUND, factors)]
        second = [[w / f for w, f in zip(row, factors)] for row in SOUND]
        return self.model(first, second, bias0=[b * f for b, f in zip(BIAS, factors)])

    def causes(self, rows):
        return {layer: row["cause"] for layer, row in rows.items() if row["cause"]}

    def test_a_sound_model_is_not_accused(self):
        rows = self.explain(self.model())
        self.assertEqual(self.causes(rows), {})
        self.assertEqual({row["saturating"] for row in rows.values()}, {0})
        self.assertEqual({row["help"] for row in rows.values()}, {""})
        self.assertEqual(self.causes(self.explain(self.model(), "--per-tensor")), {})

    def test_an_outlier_channel(self):
        causes = self.causes(self.explain(self.balanced((1, 1, 60, 1))))
        self.assertEqual(list(causes), ["conv1"])
        self.assertIn("outliers in channel 2 of its input", causes["conv1"])

    def test_unbalanced_channels(self):
        causes = self.causes(self.explain(self.balanced((1, 1 / 5, 1 / 25, 1 / 125))))
        self.assertEqual(list(causes), ["conv1"])
        self.assertIn("unbalanced channels: its input", causes["conv1"])
        causes = self.causes(self.explain(self.balanced((1, 1 / 5, 1 / 25, 1 / 125)),
                                          "--per-tensor"))
        self.assertIn("unbalanced channels: weights", causes["conv0"])

    def test_a_saturating_weight_pair(self):
        second = [list(row) for row in SOUND]
        second[3] = [1, 1, .3, 0]
        rows = self.explain(self.model(second=second))
        self.assertEqual(self.causes(rows), {})
        self.assertEqual([rows[f"conv{i}"]["saturating"] for i in range(3)], [0, 1, 0])
        self.assertEqual(rows["conv1"]["saturating_pair"],
                         "output channel 3, inputs 0 and 1: 255 * (127 + 127)")
        self.assertIn("--target any", rows["conv1"]["help"])
        text = self.succeeds("explain", "model.onnx", "--data", "x.npy")
        self.assertIn("saturating weight pair: output channel 3, inputs 0 and 1", text)

    def test_a_wrong_preprocessing_scale(self):
        model = self.model()
        self.succeeds("calibrate", model, "--data", self.data("x.npy"), "--stats", "s.imstat")
        for factor in (255, 1 / 255):
            rows = self.explain(model, "--stats", "s.imstat", data=self.data("y.npy", factor))
            self.assertIn("wrong preprocessing scale", rows["conv0"]["cause"], factor)
            self.assertIn("--scale", rows["conv0"]["help"])
        self.assertEqual(self.causes(self.explain(model, "--stats", "s.imstat")), {})

    def test_a_dead_range(self):
        causes = self.causes(self.explain(self.model(bias1=(-100,) * CHANNELS)))
        self.assertEqual(causes, {"conv2": "dead range: its input is always 0"})


if __name__ == "__main__":
    main()
