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

// What the largest of t = x * scale + mask is, with t in x's place. Behind the last score stand
// numbers whose exponential is nothing.
float Scaled(float* x, const float* mask, float scale, int64_t n) {
  Lanes lanes = All(-__builtin_inff());
  for (int64_t i = 0; i < n; i += kLanes) {
    Lanes t = At(x + i) * scale;
    if (mask != nullptr) t = t + MaskAt(mask + i, n - i);
    if (n - i < kLanes) t = kIndex < static_cast<int32_t>(n - i) ? t : All(-__builtin_inff());
    At(x + i) = t;
    lanes = Larger(lanes, t);
  }
  return Reduce<Larger>(lanes);
}

// 255 e^x for x <= 0, off by 3e-6 of it, which is nothing beside the half step that rounding to
// bytes costs: 2^n from the low bits of t, as in ExpOfNegative, by a polynomial that is 255 at 0.
Lanes ByteExpOfNegative(Lanes x) {
  const Lanes y = Larger(x, All(-80.0f)) * 1.44269504088896341f;
  const Lanes t = y + kRoundMagic;
  const Lanes r = y - (t - kRoundMagic);
  Lanes p = r * 2.4436274670f + 14.2561383751f;
  p = p * r + 61.2614514768f;
  p = p * r + 176.7466693030f;
  p = p * r + 255.0f;
  return __builtin_bit_cast(
      Lanes, __builtin_bit_cast(IntLanes, p) + (__builtin_bit_cast(IntLanes, t) << 23));
}

// Of the bits of each number: an integer, where the number has been rounded with kRoundMagic.
void LowBytes(const float* x, uint8_t* __restrict y, int64_t n) {
  for (int64_t i = 0; i < (n + kLanes - 1) / kLanes * kLanes; ++i)
    y[i] = static_cast<uint8_t>(__builtin_bit_cast(int32_t, x[i]));
}

}  // namespace

// Each step for all rows, as the steps of one row wait for each other. A NaN makes the sum NaN.
void ExponentialBytes(const ScoreRows& rows, float scale, uint8_t* y, float* sums) {
  for (int64_t i = 0; i < rows.count; ++i)
    sums[i] =
        Scaled(rows.x + i * rows.step,
               rows.mask == nullptr ? nullptr : rows.mask + i * rows.mask_step, scale, rows.keys);
  for (int64_t i = 0; i < rows.count; ++i) {
    float* x = rows.x + i * rows.step;
    const float largest = sums[i];
    Lanes sum = {};
    for (int64_t k = 0; k < rows.keys; k += kLanes) {
      const Lanes t = ByteExpOfNegative(At(x + k) - largest) + kRoundMagic;
      sum += t - kRoundMagic;
      At(x + k) = t;
    }
    sums[i] = Reduce<Sum>(sum);
  }
  for (int64_t i = 0; i < rows.count; ++i)
    LowBytes(rows.x + i * rows.step, y + i * rows.step, rows.keys);
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
