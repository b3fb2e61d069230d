// ValueStatistics: one pass for the extremes, one for the bins.
#include "quant/statistics.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "quant/extremes.h"

namespace intmill {
namespace {

constexpr int kBinBits = ValueStatistics::kBinBits;
constexpr size_t kTables = 4;
constexpr size_t kBlock = 256;
constexpr size_t kWorthTables = 4096;         // values that are worth clearing and adding tables
constexpr size_t kPortion = size_t{1} << 31;  // counters have 32 bits

// The bin of each value, those of negative ones behind the others; returns how many are zero. Exact
// but for results below 1, which are bin 0 however they are rounded.
int32_t FindBins(const float* __restrict x, size_t n, float inverse_width,
                 int32_t* __restrict bins) {
  int32_t zeros = 0;
  const auto add = [&](size_t i) {
    const auto bin = static_cast<int32_t>(std::fabs(x[i]) * inverse_width);
    bins[i] = bin + (x[i] < 0 ? static_cast<int32_t>(ValueStatistics::kBins) : 0);
    zeros += x[i] == 0 ? 1 : 0;
  };
  if (n == kBlock)
    for (size_t i = 0; i < kBlock; ++i) add(i);
  else
    for (size_t i = 0; i < n; ++i) add(i);
  return zeros;
}

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
  const Extremes extremes = FindExtremes(values);
  nonfinite_ += extremes.nonfinite;
  const int64_t finite = static_cast<int64_t>(values.size()) - extremes.nonfinite;
  if (finite == 0) return;

  const float low = extremes.low + 0.0f;  // -0 becomes 0: which of them came first must not show
  const float high = extremes.high + 0.0f;
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
  const bool has_normal_width = exponent_ > -FLT_MAX_EXP && exponent_ < -FLT_MIN_EXP;
  if (extremes.nonfinite > 0 || !has_normal_width || values.size() < kWorthTables)
    CountOneByOne(values);
  else
    for (size_t at = 0; at < values.size(); at += kPortion)
      CountInTables(values.subspan(at, std::min(kPortion, values.size() - at)));
}

void ValueStatistics::CountOneByOne(std::span<const float> values) {
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

// Both signs in one table, so that nothing branches on them, and zeros in the first bin, from which
// they are taken afterwards. Neighbours often fall into one bin, and its counter would be waited
// for: so there are tables for each in turn.
void ValueStatistics::CountInTables(std::span<const float> values) {
  uint32_t tables[kTables][2 * kBins] = {};
  const float inverse_width = std::ldexp(1.0f, -exponent_);
  int64_t zeros = 0;
  int32_t bins[kBlock];
  for (size_t at = 0; at < values.size(); at += kBlock) {
    const size_t n = std::min(kBlock, values.size() - at);
    zeros += FindBins(values.data() + at, n, inverse_width, bins);
    for (size_t i = 0; i < n; ++i) ++tables[i % kTables][bins[i]];
  }
  zeros_ += zeros;
  for (size_t i = 0; i < kBins; ++i) {
    uint64_t positive = 0;
    uint64_t negative = 0;
    for (const auto& table : tables) {
      positive += table[i];
      negative += table[i + kBins];
    }
    if (i == 0) positive -= static_cast<uint64_t>(zeros);
    if (!positive_.empty()) positive_[i] += positive;
    if (!negative_.empty()) negative_[i] += negative;
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
