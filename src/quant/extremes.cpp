// Sixteen results side by side, in plain arrays and without branches.
#include "quant/extremes.h"

#include <algorithm>
#include <cstddef>

namespace intmill {
namespace {

constexpr size_t kLanes = 16;

Extremes OfFinite(const float* __restrict x, size_t n) {
  float low[kLanes];
  float high[kLanes];
  std::fill_n(low, kLanes, INFINITY);
  std::fill_n(high, kLanes, -INFINITY);
  const auto add = [&](float value, size_t k) {
    low[k] = value < low[k] ? value : low[k];
    high[k] = value > high[k] ? value : high[k];
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t k = 0; k < kLanes; ++k) add(x[i + k], k);
  for (size_t k = 0; i < n; ++i, ++k) add(x[i], k);
  return {*std::min_element(low, low + kLanes), *std::max_element(high, high + kLanes)};
}

}  // namespace

// 0 times anything else is NaN.
bool AreFinite(std::span<const float> values) {
  const float* const x = values.data();
  float zeros[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (size_t k = 0; k < kLanes; ++k) zeros[k] += x[i + k] * 0.0f;
  for (size_t k = 0; i < values.size(); ++i, ++k) zeros[k] += x[i] * 0.0f;
  return std::all_of(zeros, zeros + kLanes, [](float zero) { return zero == 0; });
}

Extremes FindExtremes(std::span<const float> values) {
  if (AreFinite(values)) return OfFinite(values.data(), values.size());
  Extremes found;
  for (const float x : values) {
    if (!std::isfinite(x)) {
      ++found.nonfinite;
      continue;
    }
    found.low = std::min(found.low, x);
    found.high = std::max(found.high, x);
  }
  return found;
}

}  // namespace intmill
