// The float part of attention over bytes: rows of scores become rows of bytes, and sums of products
// with them become values again.
#include "kernels/native/loops/exponential.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr IntLanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

Lanes MaskAt(const float* mask, int64_t left) {
  if (left >= kLanes) return At(mask);
  float row[kLanes] = {};
  for (int64_t i = 0; i < left; ++i) row[i] = mask[i];
  return At(row);
}

// Of the bits of each number: an integer, where the number has been rounded with kRoundMagic.
void LowBytes(const float* x, uint8_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < (n + kLanes - 1) / kLanes * kLanes; ++i)
    y[i] = static_cast<uint8_t>(__builtin_bit_cast(int32_t, x[i]));
}

}  // namespace

// Behind the last score stand numbers whose exponential is nothing. A NaN makes the sum NaN.
float ExponentialBytes(float* x, const float* mask, float scale, uint8_t* y, int64_t n) {
  Lanes lanes = All(-__builtin_inff());
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes t = At(x + i) * scale;
    if (mask != nullptr) t = t + MaskAt(mask + i, n - i);
    if (n - i < kLanes) t = kIndex < static_cast<int32_t>(n - i) ? t : All(-__builtin_inff());
    At(x + i) = t;
    lanes = Larger(lanes, t);
  }
  const float largest = Reduce<Larger>(lanes);
  Lanes sums = {};
  for (int64_t i = 0; i < n; i += kLanes) {
    const Lanes t = ExpOfNegative(At(x + i) - largest) * 255.0f + kRoundMagic;
    sums += t - kRoundMagic;
    At(x + i) = t;
  }
  LowBytes(x, y, n);
  return Reduce<Sum>(sums);
}

void ScaleToBytes(const float* x, float factor, float zero_point, uint8_t flip, uint8_t* y,
                  int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    float t = x[i] * factor;
    t = t == t ? t : 0.0f;
    t = ClampTo(t, -zero_point, 255.0f - zero_point);
    y[i] = static_cast<uint8_t>(RoundToInt(t) + static_cast<int32_t>(zero_point)) ^ flip;
  }
}

void ScaleFloats(const float* x, float factor, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
}

const AttentionLoops kAttentionLoops = {
    .exponentials = ExponentialBytes, .to_bytes = ScaleToBytes, .to_floats = ScaleFloats};

}  // namespace intmill::native::INTMILL_LEVEL
