// Scalar arithmetic that the compiler turns into vectors: rounding, clamping, exp and its family.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_SCALAR_H
#define INTMILL_KERNELS_NATIVE_LOOPS_SCALAR_H

#include <stdint.h>

namespace intmill::native::INTMILL_LEVEL {
namespace {

// Comparisons are written so that a NaN comes through.
[[maybe_unused]] inline float AtLeast(float x, float low) { return x < low ? low : x; }
[[maybe_unused]] inline float AtMost(float x, float high) { return x > high ? high : x; }
[[maybe_unused]] inline float ClampTo(float x, float low, float high) {
  return AtMost(AtLeast(x, low), high);
}

// Adding 1.5 * 2^23 pushes the fraction out of the mantissa, rounding half to even as the addition
// does; the integer is then what the low bits hold. For |x| < 2^22.
constexpr float kRoundMagic = 12582912.0f;
constexpr int32_t kRoundMagicBits = 0x4b400000;

[[maybe_unused]] inline int32_t RoundToInt(float x) {
  return __builtin_bit_cast(int32_t, x + kRoundMagic) - kRoundMagicBits;
}

// QuantizeValue of tensor/quantize.h for 8 bits: clamping before rounding gives the same integers,
// because the bounds are integers and rounding is monotone.
[[maybe_unused]] inline int32_t QuantizeToByte(float x, float scale, int32_t zero_point) {
  float t = x / scale;
  t = t == t ? t : 0.0f;
  const float low = static_cast<float>(0 - zero_point);
  const float high = static_cast<float>(255 - zero_point);
  return RoundToInt(ClampTo(t, low, high)) + zero_point;
}

[[maybe_unused]] inline float PowerOfTwo(int32_t n) {  // -126 <= n <= 127
  return __builtin_bit_cast(float, (n + 127) << 23);
}

// e^x = 2^n e^r with n = round(x / ln 2), |r| <= ln(2) / 2; e^r by the polynomial of Cephes' expf,
// good to 2 units in the last place. 2^n in two factors, as n may leave the range of exponents.
[[maybe_unused]] inline float Exp(float x) {
  x = ClampTo(x, -104.0f, 89.0f);
  const float t = x * 1.44269504088896341f + kRoundMagic;
  const int32_t n = __builtin_bit_cast(int32_t, t) - kRoundMagicBits;
  const float rounded = t - kRoundMagic;
  const float r = (x - rounded * 0.693359375f) - rounded * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float e = p * (r * r) + r + 1.0f;
  const int32_t half = n >> 1;
  return e * PowerOfTwo(half) * PowerOfTwo(n - half);
}

[[maybe_unused]] inline float Sigmoid(float x) { return 1.0f / (1.0f + Exp(-x)); }

// Cephes' tanhf: an odd polynomial near 0, 1 - 2 / (e^2x + 1) elsewhere.
[[maybe_unused]] inline float Tanh(float x) {
  const float magnitude = __builtin_fabsf(x);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = p * z * x + x;
  const float far = 1.0f - 2.0f / (Exp(2.0f * magnitude) + 1.0f);
  return magnitude < 0.625f ? near : __builtin_copysignf(far, x);
}

// The Taylor series below 0.5; Abramowitz and Stegun 7.1.26 above, whose error is below 1.5e-7.
[[maybe_unused]] inline float Erf(float x) {
  const float magnitude = __builtin_fabsf(x);
  const float z = x * x;
  float s = -1.0f / 1320.0f;
  s = s * z + 1.0f / 216.0f;
  s = s * z - 1.0f / 42.0f;
  s = s * z + 1.0f / 10.0f;
  s = s * z - 1.0f / 3.0f;
  const float near = 1.12837916709551257f * (s * z * x + x);
  const float t = 1.0f / (1.0f + 0.3275911f * magnitude);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const float far = 1.0f - p * t * Exp(-z);
  return magnitude < 0.5f ? near : __builtin_copysignf(far, x);
}

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_SCALAR_H
