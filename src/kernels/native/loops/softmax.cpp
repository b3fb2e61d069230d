// Softmax of one row of floats.
#include "kernels/native/loops/exponential.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

Lanes Scaled(const float* x, const float* mask, float scale) {
  return mask == nullptr ? At(x) * scale : At(x) * scale + At(mask);
}

// Rows shorter than the lanes: behind them stand numbers whose exponential is nothing.
void ShortRow(const float* x, const float* mask, float scale, float* y, int64_t n) {
  float row[kLanes];
  At(row) = All(-__builtin_inff());
  for (int64_t i = 0; i < n; ++i) row[i] = mask == nullptr ? x[i] * scale : x[i] * scale + mask[i];
  At(row) = ExpOfNegative(At(row) - Reduce<Larger>(At(row)));
  At(row) *= 1.0f / Reduce<Sum>(At(row));
  for (int64_t i = 0; i < n; ++i) y[i] = row[i];
}

constexpr IntLanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace

// The last block overlaps the one before it where the row is no whole number of blocks; it is kept
// in registers, and its first lanes are not summed.
void SoftmaxRow(const float* x, const float* mask, float scale, float* y, int64_t n) {
  if (n < kLanes) return ShortRow(x, mask, scale, y, n);
  const int64_t end = n - kLanes;
  Lanes last = Scaled(x + end, mask == nullptr ? nullptr : mask + end, scale);
  Lanes lanes = last;
  for (int64_t i = 0; i < end; i += kLanes) {
    const Lanes t = Scaled(x + i, mask == nullptr ? nullptr : mask + i, scale);
    At(y + i) = t;
    lanes = Larger(lanes, t);
  }
  const float largest = Reduce<Larger>(lanes);

  last = ExpOfNegative(last - largest);
  const auto repeated = static_cast<int32_t>((kLanes - n % kLanes) % kLanes);
  Lanes sums = kIndex < repeated ? Lanes{} : last;
  for (int64_t i = 0; i < end; i += kLanes) {
    const Lanes e = ExpOfNegative(At(y + i) - largest);
    At(y + i) = e;
    sums += e;
  }
  const float factor = 1.0f / Reduce<Sum>(sums);
  for (int64_t i = 0; i < end; i += kLanes) At(y + i) *= factor;
  At(y + end) = last * factor;
}

}  // namespace intmill::native::INTMILL_LEVEL
