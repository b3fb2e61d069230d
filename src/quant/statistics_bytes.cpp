// ExactSum and ValueStatistics as bytes: docs/statistics.md says how they lie.
#include <algorithm>
#include <cmath>

#include "quant/statistics.h"

namespace intmill {
namespace {

// So many that no run reaches it, and so few that 64 files of them can be merged.
constexpr int64_t kMostValues = int64_t{1} << 56;
constexpr int64_t kMostChannels = int64_t{1} << 24;
constexpr int64_t kHighestDigit = int64_t{1} << 40;
constexpr uint8_t kHasPositive = 1;
constexpr uint8_t kHasNegative = 2;

Status Refuse(const char* what) { return Error(Code::kBadFormat, what); }

void WriteBins(const std::vector<uint64_t>& bins, ByteWriter& out) {
  for (const uint64_t n : bins) out.Unsigned(n);
}

Result<std::vector<uint64_t>> ReadSide(ByteReader& in, int64_t* counted) {
  std::vector<uint64_t> bins(ValueStatistics::kBins);
  for (uint64_t& bin : bins) {
    ASSIGN_OR_RETURN(const int64_t n, in.Unsigned(kMostValues));
    bin = static_cast<uint64_t>(n);
    *counted += n;
    if (*counted > kMostValues) return Refuse("more values are counted in bins than there can be");
  }
  return bins;
}

}  // namespace

void ExactSum::Write(ByteWriter& out) const {
  ExactSum canonical = *this;
  canonical.Carry();
  for (const int64_t digit : canonical.digits_) out.Signed(digit);
}

Result<ExactSum> ExactSum::Read(ByteReader& in) {
  ExactSum sum;
  for (size_t i = 0; i < kDigits; ++i) {
    ASSIGN_OR_RETURN(const int64_t digit, in.Signed());
    const bool is_last = i + 1 == kDigits;
    const bool fits = is_last ? digit >= -kHighestDigit && digit <= kHighestDigit
                              : digit >= 0 && digit < int64_t{1} << 32;
    if (!fits) return Refuse("a digit of a sum is out of range");
    sum.digits_[i] = digit;
  }
  return sum;
}

void ValueStatistics::Write(ByteWriter& out) const {
  for (const int64_t n : {count_, nonfinite_, zeros_, samples_})
    out.Unsigned(static_cast<uint64_t>(n));
  out.Float(min());
  out.Float(max());
  sum_of_minima_.Write(out);
  sum_of_maxima_.Write(out);
  out.Signed(exponent_);
  out.Byte(static_cast<uint8_t>((positive_.empty() ? 0 : kHasPositive) |
                                (negative_.empty() ? 0 : kHasNegative)));
  WriteBins(positive_, out);
  WriteBins(negative_, out);
  out.Unsigned(static_cast<uint64_t>(channel_samples_));
  out.Byte(channels_usable_ ? 1 : 0);
  out.Unsigned(channel_sums_.size());
  for (size_t c = 0; c < channel_sums_.size(); ++c) {
    channel_sums_[c].Write(out);
    channel_squares_[c].Write(out);
    out.Float(channel_maxima_[c]);
  }
}

Result<ValueStatistics> ValueStatistics::Read(ByteReader& in) {
  ValueStatistics s;
  for (int64_t* const n : {&s.count_, &s.nonfinite_, &s.zeros_, &s.samples_}) {
    ASSIGN_OR_RETURN(*n, in.Unsigned(kMostValues));
  }
  ASSIGN_OR_RETURN(s.min_, in.Float());
  ASSIGN_OR_RETURN(s.max_, in.Float());
  if (!std::isfinite(s.min_) || !std::isfinite(s.max_) || s.min_ > s.max_)
    return Refuse("the smallest and the largest value are no range");
  if (s.samples_ > s.count_ || (s.count_ > 0 && s.samples_ == 0))
    return Refuse("the number of samples does not fit the number of values");
  ASSIGN_OR_RETURN(s.sum_of_minima_, ExactSum::Read(in));
  ASSIGN_OR_RETURN(s.sum_of_maxima_, ExactSum::Read(in));
  TRY(s.ReadBins(in));
  TRY(s.ReadChannels(in));
  return s;
}

Status ValueStatistics::ReadBins(ByteReader& in) {
  ASSIGN_OR_RETURN(const int64_t exponent, in.Signed());
  const float magnitude = std::max(-min_, max_);
  const int wanted = magnitude == 0 ? 0 : ExponentFor(magnitude);
  if (exponent != wanted) return Refuse("the width of the bins does not fit the range");
  exponent_ = wanted;
  ASSIGN_OR_RETURN(const uint8_t sides, in.Byte());
  if (sides != ((max_ > 0 ? kHasPositive : 0) | (min_ < 0 ? kHasNegative : 0)))
    return Refuse("the sides of the bins do not fit the range");
  int64_t counted = zeros_;
  if (max_ > 0) {
    ASSIGN_OR_RETURN(positive_, ReadSide(in, &counted));
  }
  if (min_ < 0) {
    ASSIGN_OR_RETURN(negative_, ReadSide(in, &counted));
  }
  if (counted != count_) return Refuse("the bins do not add up to the number of values");
  return Ok();
}

Status ValueStatistics::ReadChannels(ByteReader& in) {
  ASSIGN_OR_RETURN(channel_samples_, in.Unsigned(count_ + nonfinite_));
  ASSIGN_OR_RETURN(const uint8_t usable, in.Byte());
  ASSIGN_OR_RETURN(const int64_t channels, in.Unsigned(kMostChannels));
  if (usable > 1 || (usable == 0 && channels > 0)) return Refuse("channels that do not count");
  // Each takes some bytes: memory is spent on what is really there.
  if (channels > in.left()) return Refuse("the content ends too early");
  channels_usable_ = usable == 1;
  for (int64_t i = 0; i < channels; ++i) {
    ASSIGN_OR_RETURN(const ExactSum sum, ExactSum::Read(in));
    ASSIGN_OR_RETURN(const ExactSum square, ExactSum::Read(in));
    ASSIGN_OR_RETURN(const float largest, in.Float());
    if (!(largest >= 0) || !std::isfinite(largest)) return Refuse("a largest value is none");
    channel_sums_.push_back(sum);
    channel_squares_.push_back(square);
    channel_maxima_.push_back(largest);
  }
  return Ok();
}

}  // namespace intmill
