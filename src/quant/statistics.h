// Statistics of one value over all data seen: exact, mergeable, and the same bits in whatever order
// and in whatever portions the data came.
#ifndef INTMILL_QUANT_STATISTICS_H
#define INTMILL_QUANT_STATISTICS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "tensor/qparams.h"

namespace intmill {

// A sum of floats without rounding: a fixed-point number of 320 bits, wide enough for 2^40 floats
// of any size. Addition of integers is associative, which addition of floats is not.
class ExactSum {
 public:
  void Add(float x);  // finite
  void Merge(const ExactSum& other);
  double Get() const;
  bool operator==(const ExactSum& other) const;

  // Equal sums write equal bytes. Reading refuses what no sum of up to 2^40 floats can be.
  void Write(ByteWriter& out) const;
  static Result<ExactSum> Read(ByteReader& in);

 private:
  static constexpr int kDigits = 10;  // 32 bits each, the lowest worth 2^-149
  void Carry();

  std::array<int64_t, kDigits> digits_{};
  int64_t pending_ = 0;  // additions since the last carry
};

// Counts of |x| in 2 x kBins bins of width 2^exponent, one side for each sign. The width is the
// smallest power of two with max |x| < kBins * width; when the maximum grows, neighbouring bins are
// added, which gives exactly what counting at the wider width from the start would have given.
class ValueStatistics {
 public:
  static constexpr int kBinBits = 11;
  static constexpr int64_t kBins = int64_t{1} << kBinBits;

  // Takes in `values`, which are `samples` equal parts (the extremes of each part are averaged).
  void Add(std::span<const float> values, int64_t samples = 1);
  void Merge(const ValueStatistics& other);

  int64_t count() const { return count_; }          // finite values
  int64_t nonfinite() const { return nonfinite_; }  // NaN and infinities, counted and left out
  int64_t zeros() const { return zeros_; }          // exact zeros, counted in no bin
  float min() const { return count_ > 0 ? min_ : 0; }
  float max() const { return count_ > 0 ? max_ : 0; }
  // Takes in mean, mean square and largest |x| of each channel over each of `samples` equal parts
  // of `values`, whose element i belongs to channel i / inner % channels. A value keeps its number
  // of channels, or else none of its means count.
  void AddChannels(std::span<const float> values, int64_t samples, int64_t channels, int64_t inner);
  // The mean of each channel over all samples; empty when not every sample had all of them.
  std::vector<double> channel_means() const;
  // Under the same condition the largest |x| of each channel, and the mean of x^2.
  std::vector<float> channel_maxima() const;
  std::vector<double> channel_squares() const;
  Range average() const;  // mean over the samples of their smallest and of their largest value

  // The smallest e with magnitude < 2^(e + kBinBits).
  static int ExponentFor(float magnitude);
  // Empty while no value differs from zero.
  bool has_bins() const { return !positive_.empty() || !negative_.empty(); }
  int exponent() const { return exponent_; }
  double bin_width() const;
  // positive()[i] counts i * w <= x < (i + 1) * w without zero, negative()[i] the same of -x. A
  // side without values is empty.
  std::span<const uint64_t> positive() const { return positive_; }
  std::span<const uint64_t> negative() const { return negative_; }

  bool operator==(const ValueStatistics& other) const = default;

  // Equal statistics write equal bytes; what is read could have been gathered.
  void Write(ByteWriter& out) const;
  static Result<ValueStatistics> Read(ByteReader& in);

 private:
  Status ReadBins(ByteReader& in);
  Status ReadChannels(ByteReader& in);
  void WidenTo(int exponent);
  void AddSample(std::span<const float> values);
  void CountOneByOne(std::span<const float> values);
  void CountInTables(std::span<const float> values);
  void MergeChannels(const ValueStatistics& other);
  void ResizeChannels(size_t channels);
  std::vector<double> MeansOf(const std::vector<ExactSum>& sums) const;
  void AddSampleChannels(std::span<const float> values, size_t channels, size_t inner);

  int64_t count_ = 0;
  int64_t nonfinite_ = 0;
  int64_t zeros_ = 0;
  float min_ = 0;
  float max_ = 0;
  int64_t samples_ = 0;  // with at least one finite value
  ExactSum sum_of_minima_;
  ExactSum sum_of_maxima_;
  int exponent_ = 0;
  std::vector<uint64_t> positive_;
  std::vector<uint64_t> negative_;
  int64_t channel_samples_ = 0;
  bool channels_usable_ = true;
  std::vector<ExactSum> channel_sums_;     // of the samples' means
  std::vector<ExactSum> channel_squares_;  // of the samples' mean squares
  std::vector<float> channel_maxima_;      // of |x|
};

}  // namespace intmill

#endif  // INTMILL_QUANT_STATISTICS_H
