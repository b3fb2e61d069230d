#!/usr/bin/env python3
"""Quantizes one tensor to 8 bits and back, and says what that costs and saves."""

import numpy

from intmill import DType, QParams, Tensor

x = Tensor.of(numpy.random.default_rng(1).standard_normal((64, 64), "f4"))

# Scale 0.01 and zero point 0 hold -1.28 to 1.27: most of the error is what lies outside. Then let the library choose
# from the data.
for name, params in (("fixed", QParams(DType.S8, [0.01])), ("chosen", QParams.choose(x))):
    small = x.quantize(params)
    difference = x.compare(small.dequantize())
    print(f"{name:6} scale {params.scales[0]:.6f}, zero point {params.zero_points[0]:4}: "
          f"mean absolute error {difference.mean_abs:.6f}, memory ratio {x.nbytes / small.nbytes:.2f}x")
