// ValueStatistics: one pass for the extremes, one for the bins.
#include "quant/statistics.h"

#include <algorithm>
#include <cmath>

namespace intmill {
namespace {

constexpr int kBinBits = ValueStatistics::kBinBits;

// Adds pairs of neighbours `times` times; the bins that become free are zero.
void Fold(std::vector<uint64_t>& bins, int times) {
  if (bins.empty()) return;
  // After kBinBits times everything is in bin 0 and stays there.
  for (times = std::min(times, kBinBits); times > 0; --times) {
    for (size_t i = 0; i < bins.size() / 2; ++i) bins[i] = bins[2 * i] + bins[2 * i + 1];
    std::fill(bins.begin() + static_cast<std::ptrdiff_t>(bins.size() / 2), bins.end(), 0);
  }
}

void AddBins(std::vector<uint64_t>& into, const std::vector<uint64_t>& from) {
  if (from.empty()) return;
  if (into.empty()) into.resize(from.size());
  for (size_t i = 0; i < from.size(); ++i) into[i] += from[i];
}

}  // namespace

int ValueStatistics::ExponentFor(float magnitude) {
  int exponent = 0;
  std::frexp(static_cast<double>(magnitude), &exponent);
  return exponent - kBinBits;
}

double ValueStatistics::bin_width() const { return std::ldexp(1.0, exponent_); }

Range ValueStatistics::average() const {
  if (samples_ == 0) return {};
  const double n = static_cast<double>(samples_);
  return {static_cast<float>(sum_of_minima_.Get() / n),
          static_cast<float>(sum_of_maxima_.Get() / n)};
}

void ValueStatistics::WidenTo(int exponent) {
  if (has_bins() && exponent > exponent_) {
    Fold(positive_, exponent - exponent_);
    Fold(negative_, exponent - exponent_);
  }
  if (!has_bins() || exponent > exponent_) exponent_ = exponent;
}

void ValueStatistics::Add(std::span<const float> values, int64_t samples) {
  const size_t n = static_cast<size_t>(std::max<int64_t>(samples, 1));
  if (values.size() % n != 0) {
    AddSample(values);
    return;
  }
  const size_t part = values.size() / n;
  for (size_t i = 0; i < n; ++i) AddSample(values.subspan(i * part, part));
}

void ValueStatistics::AddSample(std::span<const float> values) {
  float low = INFINITY;
  float high = -INFINITY;
  int64_t nonfinite = 0;
  for (const float x : values) {
    const bool finite = std::isfinite(x);
    nonfinite += finite ? 0 : 1;
    low = finite && x < low ? x : low;
    high = finite && x > high ? x : high;
  }
  nonfinite_ += nonfinite;
  const int64_t finite = static_cast<int64_t>(values.size()) - nonfinite;
  if (finite == 0) return;

  low += 0.0f;  // -0 becomes 0: which of them came first must not show
  high += 0.0f;
  min_ = count_ > 0 ? std::min(min_, low) : low;
  max_ = count_ > 0 ? std::max(max_, high) : high;
  count_ += finite;
  ++samples_;
  sum_of_minima_.Add(low);
  sum_of_maxima_.Add(high);
  const float magnitude = std::max(-low, high);
  if (magnitude == 0) {
    zeros_ += finite;
    return;
  }

  WidenTo(ExponentFor(magnitude));
  if (high > 0) positive_.resize(kBins);
  if (low < 0) negative_.resize(kBins);
  // Exact: a product with a power of two in double, which holds every float and every float times
  // 2^160.
  const double inverse_width = std::ldexp(1.0, -exponent_);
  for (const float x : values) {
    if (!std::isfinite(x)) continue;
    const size_t bin = static_cast<size_t>(std::fabs(static_cast<double>(x)) * inverse_width);
    if (x > 0) {
      ++positive_[bin];
    } else if (x < 0) {
      ++negative_[bin];
    } else {
      ++zeros_;
    }
  }
}

void ValueStatistics::Merge(const ValueStatistics& other) {
  if (other.count_ > 0) {
    min_ = count_ > 0 ? std::min(min_, other.min_) : other.min_;
    max_ = count_ > 0 ? std::max(max_, other.max_) : other.max_;
  }
  count_ += other.count_;
  nonfinite_ += other.nonfinite_;
  zeros_ += other.zeros_;
  samples_ += other.samples_;
  sum_of_minima_.Merge(other.sum_of_minima_);
  sum_of_maxima_.Merge(other.sum_of_maxima_);
  MergeChannels(other);
  if (!other.has_bins()) return;
  WidenTo(other.exponent_);
  std::vector<uint64_t> positive = other.positive_;
  std::vector<uint64_t> negative = other.negative_;
  Fold(positive, exponent_ - other.exponent_);
  Fold(negative, exponent_ - other.exponent_);
  AddBins(positive_, positive);
  AddBins(negative_, negative);
}

}  // namespace intmill
