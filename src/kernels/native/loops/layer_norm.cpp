// Layer normalization of one row of floats.
#include "kernels/native/loops/exponential.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr IntLanes kIndex = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
constexpr int kSums = 4;  // side by side: an addition waits for the one before

// The last numbers of a row, and zeros.
Lanes Rest(const float* x, int64_t n) {
  float rest[kLanes] = {};
  for (int64_t i = 0; i < n; ++i) rest[i] = x[i];
  return At(rest);
}

struct Sums {
  Lanes of[kSums] = {};
  float Total() const { return Reduce<Sum>((of[0] + of[1]) + (of[2] + of[3])); }
};

float Mean(const float* x, int64_t n) {
  Sums sums;
  int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes)
    for (int k = 0; k < kSums; ++k) sums.of[k] += At(x + i + k * kLanes);
  for (; i < n; i += kLanes) sums.of[0] += n - i < kLanes ? Rest(x + i, n - i) : At(x + i);
  return sums.Total() / static_cast<float>(n);
}

// The second pass over a row loses nothing to cancellation.
float Variance(const float* x, float mean, int64_t n) {
  Sums sums;
  int64_t i = 0;
  for (; i + kSums * kLanes <= n; i += kSums * kLanes) {
    for (int k = 0; k < kSums; ++k) {
      const Lanes d = At(x + i + k * kLanes) - mean;
      sums.of[k] += d * d;
    }
  }
  for (; i < n; i += kLanes) {
    const auto left = static_cast<int32_t>(n - i < kLanes ? n - i : kLanes);
    Lanes d = (left < kLanes ? Rest(x + i, left) : At(x + i)) - mean;
    d = kIndex < left ? d : Lanes{};
    sums.of[0] += d * d;
  }
  return sums.Total() / static_cast<float>(n);
}

}  // namespace

void LayerNormRow(const NormParameters& p, const float* x, float* __restrict y, int64_t n) {
  const float mean = Mean(x, n);
  const float inverse = 1.0f / __builtin_sqrtf(Variance(x, mean, n) + p.epsilon);
  const float* scale = p.scale;
  const float* bias = p.bias;
  if (bias == nullptr) {
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * scale[i];
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse * scale[i] + bias[i];
  }
}

}  // namespace intmill::native::INTMILL_LEVEL
