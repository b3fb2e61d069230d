// SignalSums and InputSums: one pass each, in blocks that are added up in doubles.
#include "quant/signal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

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

// Eight sums side by side, which a compiler may turn into vectors without reordering any of them.
BlockSums SumFinite(std::span<const float> a, std::span<const float> b) {
  std::array<double, kLanes> aa = {};
  std::array<double, kLanes> bb = {};
  std::array<double, kLanes> ab = {};
  std::array<double, kLanes> dd = {};
  size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) {
      const double x = static_cast<double>(a[i + k]);
      const double y = static_cast<double>(b[i + k]);
      aa[k] += x * x;
      bb[k] += y * y;
      ab[k] += x * y;
      dd[k] += (x - y) * (x - y);
    }
  }
  BlockSums sums;
  for (size_t k = 0; k < kLanes; ++k) {
    sums.aa += aa[k];
    sums.bb += bb[k];
    sums.ab += ab[k];
    sums.dd += dd[k];
  }
  for (; i < a.size(); ++i) {
    const double x = static_cast<double>(a[i]);
    const double y = static_cast<double>(b[i]);
    sums.aa += x * x;
    sums.bb += y * y;
    sums.ab += x * y;
    sums.dd += (x - y) * (x - y);
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

// Sixteen scans side by side, which a compiler turns into vectors. 2^31 values a lane are 128 GiB.
struct Lanes {
  std::array<int32_t, kWide> finite = {};
  std::array<int32_t, kWide> clipped = {};
  std::array<int32_t, kWide> large = {};
  std::array<float, kWide> low = Filled(INFINITY);
  std::array<float, kWide> high = Filled(-INFINITY);

  static std::array<float, kWide> Filled(float x) {
    std::array<float, kWide> filled;
    filled.fill(x);
    return filled;
  }

  void Add(const float* values, size_t n, const Limits& limits, float* peaks) {
    for (size_t k = 0; k < n; ++k) {
      const float x = values[k];
      const float size = std::fabs(x);
      const bool is_finite = size <= std::numeric_limits<float>::max();
      peaks[k] = is_finite && size > peaks[k] ? size : peaks[k];
      finite[k] += is_finite ? 1 : 0;
      clipped[k] += is_finite && (x < limits.ends.min || x > limits.ends.max) ? 1 : 0;
      large[k] += is_finite && size > limits.large ? 1 : 0;
      low[k] = is_finite && x < low[k] ? x : low[k];
      high[k] = is_finite && x > high[k] ? x : high[k];
    }
  }
};

// `peaks` has one entry a value, or one a lane.
template <bool kOneEach>
void Scan(std::span<const float> values, const Limits& limits, float* peaks, Lanes* sums) {
  Lanes lanes = *sums;
  size_t i = 0;
  for (; i + kWide <= values.size(); i += kWide) {
    std::array<float, kWide> top;  // of which a compiler knows that nothing else is in it
    std::copy_n(peaks + (kOneEach ? i : 0), kWide, top.begin());
    lanes.Add(values.data() + i, kWide, limits, top.data());
    std::copy_n(top.begin(), kWide, peaks + (kOneEach ? i : 0));
  }
  lanes.Add(values.data() + i, values.size() - i, limits, peaks + (kOneEach ? i : 0));
  *sums = lanes;
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
    BlockSums sums = SumFinite(a, b);
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
  Lanes lanes;
  for (size_t begin = 0, c = 0; begin < values.size();) {
    if (run == 1) {
      Scan<true>(values.subspan(begin, n), limits, peaks_.data(), &lanes);
      begin += n;
    } else {
      std::array<float, kWide> peaks = Lanes::Filled(peaks_[c]);
      Scan<false>(values.subspan(begin, run), limits, peaks.data(), &lanes);
      peaks_[c] = *std::ranges::max_element(peaks);
      begin += run;
      c = c + 1 == n ? 0 : c + 1;
    }
  }
  for (size_t k = 0; k < kWide; ++k) {
    count_ += lanes.finite[k];
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
