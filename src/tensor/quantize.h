// Quantizing one tensor, and the scalar arithmetic that every kernel must equal.
#ifndef INTMILL_TENSOR_QUANTIZE_H
#define INTMILL_TENSOR_QUANTIZE_H

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/status.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

namespace intmill {

// q = saturate(round_half_even(x / s) + z); NaN gives z, +-Inf the ends (numerics rule 1).
inline int32_t QuantizeValue(float x, float s, int32_t z, int32_t lo, int32_t hi) {
  const float rounded = std::rint(x / s);
  if (std::isnan(rounded)) return z;  // x is NaN, or 0 / 0 in a model whose scale is 0
  // Compared as floats first: the conversion of a large float to an integer is undefined.
  if (rounded <= static_cast<float>(lo - z)) return lo;
  if (rounded >= static_cast<float>(hi - z)) return hi;
  return std::clamp(static_cast<int32_t>(rounded) + z, lo, hi);
}

// x = (q - z) * s
inline float DequantizeValue(int32_t q, float s, int32_t z) {
  return static_cast<float>(q - z) * s;
}

// The real numbers that the 256 bytes of 8-bit integers with one scale stand for, in the order of
// the bytes.
Result<Tensor> RealValuesOfBytes(const QParams& q);

// How parameters are chosen for a whole tensor from its own values (min and max).
struct ChooseOptions {
  DType dtype = DType::kU8;
  bool symmetric = false;
  int64_t axis = -1;  // -1: per tensor; else one scale per index of that axis
};
Result<QParams> ChooseQParams(const Tensor& x, const ChooseOptions& options);

Result<Tensor> Quantize(const Tensor& x, const QParams& q);      // f32 to q.dtype; carries q
Result<Tensor> Dequantize(const Tensor& x);                      // to f32, by x.qparams()
Result<Tensor> FakeQuantize(const Tensor& x, const QParams& q);  // f32 to f32, through q

}  // namespace intmill

#endif  // INTMILL_TENSOR_QUANTIZE_H
