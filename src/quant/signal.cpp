// SignalSums and InputSums: one pass each, in blocks that are added up in doubles.
#include "quant/signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "quant/extremes.h"
#include "tensor/dtype.h"

namespace intmill {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr size_t kLanes = 8;
constexpr size_t kWide = 16;
constexpr size_t kBlock = 4096;

struct BlockSums {
  double aa = 0;
  double bb = 0;
  double ab = 0;
  double dd = 0;
};

// Eight sums side by side, which a compiler may turn into vectors without reordering any of them;
// plain arrays, as it has to see that nothing else changes them.
struct SumLanes {
  double aa[kLanes] = {};
  double bb[kLanes] = {};
  double ab[kLanes] = {};
  double dd[kLanes] = {};

  void Add(double x, double y, size_t k) {
    aa[k] += x * x;
    bb[k] += y * y;
    ab[k] += x * y;
    dd[k] += (x - y) * (x - y);
  }
};

BlockSums SumFinite(const float* __restrict a, const float* __restrict b, size_t n) {
  SumLanes lanes;
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t k = 0; k < kLanes; ++k)
      lanes.Add(static_cast<double>(a[i + k]), static_cast<double>(b[i + k]), k);
  for (size_t k = 0; i < n; ++i, ++k)
    lanes.Add(static_cast<double>(a[i]), static_cast<double>(b[i]), k);
  BlockSums sums;
  for (size_t k = 0; k < kLanes; ++k) {
    sums.aa += lanes.aa[k];
    sums.bb += lanes.bb[k];
    sums.ab += lanes.ab[k];
    sums.dd += lanes.dd[k];
  }
  return sums;
}

BlockSums SumAny(std::span<const float> a, std::span<const float> b) {
  BlockSums sums;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]);
    const double y = static_cast<double>(b[i]);
    const bool equal = x == y || (std::isnan(x) && std::isnan(y));
    if (std::isfinite(x) && std::isfinite(y)) {
      sums.aa += x * x;
      sums.bb += y * y;
      sums.ab += x * y;
      sums.dd += (x - y) * (x - y);
    } else if (!equal) {
      sums.dd = kInfinity;
    }
  }
  return sums;
}

struct Limits {
  Range ends = {-INFINITY, INFINITY};
  float large = 0;
};

// Sixteen scans side by side. 2^31 values a lane are 128 GiB.
struct ScanLanes {
  int64_t skipped = 0;  // that are not finite
  int32_t clipped[kWide] = {};
  int32_t large[kWide] = {};
  float low[kWide];
  float high[kWide];

  ScanLanes() {
    std::fill_n(low, kWide, INFINITY);
    std::fill_n(high, kWide, -INFINITY);
  }

  // Without branches, for which there is no operator ||.
  void Add(float x, const Limits& limits, size_t k, float& peak) {
    const float size = std::fabs(x);
    clipped[k] += (x < limits.ends.min ? 1 : 0) | (x > limits.ends.max ? 1 : 0);
    large[k] += size > limits.large ? 1 : 0;
    low[k] = x < low[k] ? x : low[k];
    high[k] = x > high[k] ? x : high[k];
    peak = size > peak ? size : peak;
  }
};

// Rows of n values; `peaks` has one entry a value of a row, or one a lane. Not inlined, as what
// __restrict says is forgotten then.
template <bool kOneEach, bool kAllFinite>
[[gnu::noinline]] void Scan(const float* __restrict values, size_t rows, size_t n,
                            const Limits& limits, float* __restrict peaks,
                            ScanLanes* __restrict sums) {
  ScanLanes lanes = *sums;
  const Limits own = limits;
  for (size_t row = 0; row < rows; ++row, values += n) {
    size_t i = 0;
    if constexpr (kAllFinite) {
      for (; i + kWide <= n; i += kWide)
        for (size_t k = 0; k < kWide; ++k)
          lanes.Add(values[i + k], own, k, peaks[kOneEach ? i + k : k]);
    }
    for (; i < n; ++i) {
      if (kAllFinite || std::isfinite(values[i]))
        lanes.Add(values[i], own, 0, peaks[kOneEach ? i : 0]);
      else
        ++lanes.skipped;
    }
  }
  *sums = lanes;
}

// Values that lie as [.., peaks, run].
template <bool kAllFinite>
ScanLanes ScanAll(std::span<const float> values, const Limits& limits, size_t run,
                  std::vector<float>& peaks) {
  ScanLanes lanes;
  const size_t n = peaks.size();
  if (run == 1) {
    Scan<true, kAllFinite>(values.data(), values.size() / n, n, limits, peaks.data(), &lanes);
    return lanes;
  }
  for (size_t at = 0, c = 0; at < values.size(); at += run, c = c + 1 == n ? 0 : c + 1) {
    float of_lanes[kWide] = {};
    Scan<false, kAllFinite>(values.data() + at, 1, run, limits, of_lanes, &lanes);
    for (const float peak : of_lanes) peaks[c] = std::max(peaks[c], peak);
  }
  return lanes;
}

// Beyond these a value is clipped: half a step outside the ends of the integers.
Range Ends(const QParams& q) {
  const double scale = static_cast<double>(q.scales[0]);
  const int64_t zero_point = q.zero_points[0];
  return {static_cast<float>((static_cast<double>(MinOf(q.dtype) - zero_point) - 0.5) * scale),
          static_cast<float>((static_cast<double>(MaxOf(q.dtype) - zero_point) + 0.5) * scale)};
}

}  // namespace

void SignalSums::Add(std::span<const float> reference, std::span<const float> candidate) {
  for (size_t begin = 0; begin < reference.size(); begin += kBlock) {
    const size_t n = std::min(kBlock, reference.size() - begin);
    const auto a = reference.subspan(begin, n);
    const auto b = candidate.subspan(begin, n);
    BlockSums sums = SumFinite(a.data(), b.data(), n);
    if (!std::isfinite(sums.aa + sums.bb + sums.dd)) sums = SumAny(a, b);
    sum_aa_ += sums.aa;
    sum_bb_ += sums.bb;
    sum_ab_ += sums.ab;
    sum_dd_ += sums.dd;
  }
}

void SignalSums::Merge(const SignalSums& other) {
  sum_aa_ += other.sum_aa_;
  sum_bb_ += other.sum_bb_;
  sum_ab_ += other.sum_ab_;
  sum_dd_ += other.sum_dd_;
}

double SignalSums::SqnrDb() const {
  return sum_dd_ == 0 ? kInfinity : 10 * std::log10(sum_aa_ / sum_dd_);
}

double SignalSums::Cosine() const {
  if (sum_aa_ > 0 && sum_bb_ > 0)
    return std::clamp(sum_ab_ / (std::sqrt(sum_aa_) * std::sqrt(sum_bb_)), -1.0, 1.0);
  return sum_aa_ == sum_bb_ ? 1 : 0;
}

void InputSums::Add(std::span<const float> values, const QParams* params, int64_t channels,
                    int64_t inner) {
  if (params != nullptr && !params->per_tensor()) params = nullptr;
  Limits limits;
  if (params != nullptr) {
    limits.ends = Ends(*params);
    limits.large = std::max(-limits.ends.min, limits.ends.max) / 16;
  }
  const auto row = static_cast<size_t>(channels * inner);
  const bool has_channels = channels > 0 && row > 0 && values.size() % row == 0;
  const size_t n = has_channels ? static_cast<size_t>(channels) : 1;
  const size_t run = has_channels ? static_cast<size_t>(inner) : values.size();
  if (peaks_.size() != n) peaks_.assign(n, 0);

  const ScanLanes lanes = AreFinite(values) ? ScanAll<true>(values, limits, run, peaks_)
                                            : ScanAll<false>(values, limits, run, peaks_);
  count_ += std::ssize(values) - lanes.skipped;
  for (size_t k = 0; k < kWide; ++k) {
    clipped_ += lanes.clipped[k];
    large_ += lanes.large[k];
    min_ = std::min(min_, lanes.low[k]);
    max_ = std::max(max_, lanes.high[k]);
  }
}

void InputSums::Merge(const InputSums& other) {
  if (other.count_ == 0) return;
  count_ += other.count_;
  clipped_ += other.clipped_;
  large_ += other.large_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  if (peaks_.size() != other.peaks_.size()) peaks_.assign(other.peaks_.size(), 0);
  for (size_t c = 0; c < peaks_.size(); ++c) peaks_[c] = std::max(peaks_[c], other.peaks_[c]);
}

double InputSums::ClippedShare() const {
  return count_ > 0 ? 100.0 * static_cast<double>(clipped_) / static_cast<double>(count_) : 0;
}

double InputSums::LargeShare() const {
  return count_ > 0 ? 100.0 * static_cast<double>(large_) / static_cast<double>(count_) : 0;
}

}  // namespace intmill
