#!/usr/bin/env python3
"""Static quantization from end to end: load, calibrate, quantize, verify, save, load, run. Arguments: the data folder,
and the file to write."""

import sys

import sample
from intmill import InferenceSession, Model, Probe, ReportKind

saved = sys.argv[2] if len(sys.argv) > 2 else "fashion_cnn.im"
images, labels = sample.images("t10k"), sample.labels("t10k")

# Calibrate: run the float model on images that it may see, never on the test set.
fp32 = Model.load(sample.MODEL)
calibration = Probe.calibrate(fp32)
calibration.feed(sample.images("calib2048")[::8])
int8 = fp32.quantize(calibration)

# Verify: both models on the same test images, with their labels.
check = Probe.verify(fp32, int8)
for first in range(0, 1000, 100):
    check.feed({"image": images[first:first + 100]}, labels[first:first + 100])
print(check.report(ReportKind.SUMMARY).values())

# Save, load and run: this is all that the deployed program needs.
int8.save(saved)
session = InferenceSession(saved)
scores, = session.run(None, {"image": images[900:901]})
print(f"test image 900 is of class {labels[900]}, the model says {scores[0].argmax()}")
