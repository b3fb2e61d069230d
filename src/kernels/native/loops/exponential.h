// Exponentials of sixteen floats at a time, and what a row of them is reduced with: the same bits
// at every level.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_EXPONENTIAL_H
#define INTMILL_KERNELS_NATIVE_LOOPS_EXPONENTIAL_H

#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

// Sixteen partial results at every level, joined in one order: the same bits at every level.
constexpr int kLanes = 16;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));
typedef int32_t IntLanes __attribute__((vector_size(kLanes * sizeof(int32_t))));

[[maybe_unused]] inline Lanes& At(float* x) { return *reinterpret_cast<Lanes*>(x); }
[[maybe_unused]] inline const Lanes& At(const float* x) {
  return *reinterpret_cast<const Lanes*>(x);
}

[[maybe_unused]] inline Lanes All(float x) { return Lanes{} + x; }
[[maybe_unused]] inline Lanes Larger(Lanes a, Lanes b) {
  return a < b ? b : a;
}  // a where b is NaN, and a NaN itself
[[maybe_unused]] inline Lanes Sum(Lanes a, Lanes b) { return a + b; }

// Halves joined with halves.
template <auto kJoin, typename Vector>
[[maybe_unused]] inline auto Reduce(Vector v) {
  v = kJoin(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  v = kJoin(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
  v = kJoin(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  v = kJoin(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
  return v[0];
}

// e^x = 2^n e^r with n = round(x / ln 2), for x <= 0; 0 where the result would be less than the
// smallest normal number. n is in the low bits of t, and moves into the exponent. The polynomial is
// near the best of its degree, off by 3e-9; that ln 2 has no second part costs 1e-8 at most, as e^x
// falls faster than n grows.
[[maybe_unused]] inline Lanes ExpOfNegative(Lanes x) {
  const Lanes t = Larger(x, All(-87.0f)) * 1.44269504088896341f + kRoundMagic;
  const Lanes r = Larger(x, All(-87.0f)) - (t - kRoundMagic) * 0.693147180559945309f;
  Lanes p = r * 1.3814539568e-3f + 8.3687451609e-3f;
  p = p * r + 4.1668390796e-2f;
  p = p * r + 1.6666520398e-1f;
  p = p * r + 4.9999993432e-1f;
  p = p * (r * r) + r + 1.0f;
  const Lanes e = __builtin_bit_cast(
      Lanes, __builtin_bit_cast(IntLanes, p) + (__builtin_bit_cast(IntLanes, t) << 23));
  return x < -87.0f ? Lanes{} : e;
}

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_EXPONENTIAL_H
