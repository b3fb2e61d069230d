#!/usr/bin/env python3
"""Dynamic quantization: 8-bit weights, and no calibration data. Activations get their range from each input while
the model runs. Argument: the data folder."""

import pathlib
import tempfile

import sample
from intmill import Model, Probe, ReportKind, quantize_dynamic

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "fashion_cnn.im"
    quantize_dynamic(sample.MODEL, path)
    fp32, int8 = Model.load(sample.MODEL), Model.load(path)

print(f"{fp32.save_memory().nbytes} bytes in float, {int8.save_memory().nbytes} in 8 bits")

check = Probe.verify(fp32, int8)
check.feed(sample.images("t10k")[::20])
print("outputs:", check.report(ReportKind.OUTPUTS).json)
