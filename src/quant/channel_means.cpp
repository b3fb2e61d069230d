// ValueStatistics: what single channels are like: means say by how much rounded weights shift a
// result, maxima and squares how channels should be scaled.
#include <algorithm>
#include <cmath>

#include "quant/statistics.h"

namespace intmill {
namespace {

// Of the channels of a sample.
struct ChannelSums {
  explicit ChannelSums(size_t channels) : sums(channels), squares(channels), maxima(channels) {}

  std::vector<double> sums;
  std::vector<double> squares;
  std::vector<float> maxima;
};

float LargerOf(float largest, float size) { return largest < size ? size : largest; }

// A value of each channel. Not inlined, as what __restrict says is forgotten then.
[[gnu::noinline]] void AddRow(const float* __restrict x, size_t channels, double* __restrict sums,
                              double* __restrict squares, float* __restrict maxima) {
  for (size_t c = 0; c < channels; ++c) {
    const double value = static_cast<double>(x[c]);
    sums[c] += value;
    squares[c] += value * value;
    maxima[c] = LargerOf(maxima[c], std::fabs(x[c]));
  }
}

// Values of one channel, in lanes: sums that wait for each other take three times as long.
void AddRun(const float* __restrict x, size_t n, size_t channel, ChannelSums& all) {
  constexpr size_t kLanes = 8;
  double sums[kLanes] = {};
  double squares[kLanes] = {};
  float maxima[kLanes] = {};
  const auto add = [&](size_t i, size_t k) {
    const double value = static_cast<double>(x[i]);
    sums[k] += value;
    squares[k] += value * value;
    maxima[k] = LargerOf(maxima[k], std::fabs(x[i]));
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (size_t k = 0; k < kLanes; ++k) add(i + k, k);
  for (size_t k = 0; i < n; ++i, ++k) add(i, k);
  for (size_t k = 0; k < kLanes; ++k) {
    all.sums[channel] += sums[k];
    all.squares[channel] += squares[k];
    all.maxima[channel] = LargerOf(all.maxima[channel], maxima[k]);
  }
}

}  // namespace

void ValueStatistics::AddChannels(std::span<const float> values, int64_t samples, int64_t channels,
                                  int64_t inner) {
  const size_t n = static_cast<size_t>(std::max<int64_t>(samples, 1));
  const size_t row = static_cast<size_t>(channels * inner);
  const bool fits = row > 0 && values.size() % n == 0 && values.size() / n % row == 0;
  if (!fits || values.empty()) {
    channels_usable_ = false;
    return;
  }
  const size_t part = values.size() / n;
  for (size_t i = 0; i < n; ++i)
    AddSampleChannels(values.subspan(i * part, part), static_cast<size_t>(channels),
                      static_cast<size_t>(inner));
}

// Within a sample the sums are doubles in an order that its shape fixes; over samples they are
// exact, so that the order and the portions of samples do not show.
void ValueStatistics::AddSampleChannels(std::span<const float> values, size_t channels,
                                        size_t inner) {
  ChannelSums all(channels);
  for (size_t row = 0; row < values.size(); row += channels * inner) {
    const float* const x = values.data() + row;
    if (inner == 1) {
      AddRow(x, channels, all.sums.data(), all.squares.data(), all.maxima.data());
      continue;
    }
    for (size_t c = 0; c < channels; ++c) AddRun(x + c * inner, inner, c, all);
  }
  if (channel_sums_.empty()) ResizeChannels(channels);
  if (channel_sums_.size() != channels) channels_usable_ = false;
  ++channel_samples_;
  const double count = static_cast<double>(values.size() / channels);
  for (size_t c = 0; c < channels && channels_usable_; ++c) {
    const float mean = static_cast<float>(all.sums[c] / count);
    const float square = static_cast<float>(all.squares[c] / count);
    if (!std::isfinite(mean) || !std::isfinite(square)) {
      channels_usable_ = false;
      break;
    }
    channel_sums_[c].Add(mean);
    channel_squares_[c].Add(square);
    channel_maxima_[c] = std::max(channel_maxima_[c], all.maxima[c]);
  }
  if (!channels_usable_) ResizeChannels(0);
}

void ValueStatistics::ResizeChannels(size_t channels) {
  channel_sums_.resize(channels);
  channel_squares_.resize(channels);
  channel_maxima_.resize(channels);
}

void ValueStatistics::MergeChannels(const ValueStatistics& other) {
  channel_samples_ += other.channel_samples_;
  channels_usable_ = channels_usable_ && other.channels_usable_;
  if (channel_sums_.empty()) ResizeChannels(other.channel_sums_.size());
  if (!other.channel_sums_.empty() && channel_sums_.size() != other.channel_sums_.size())
    channels_usable_ = false;
  if (!channels_usable_) return ResizeChannels(0);
  for (size_t c = 0; c < other.channel_sums_.size(); ++c) {
    channel_sums_[c].Merge(other.channel_sums_[c]);
    channel_squares_[c].Merge(other.channel_squares_[c]);
    channel_maxima_[c] = std::max(channel_maxima_[c], other.channel_maxima_[c]);
  }
}

std::vector<double> ValueStatistics::MeansOf(const std::vector<ExactSum>& sums) const {
  std::vector<double> means;
  if (!channels_usable_ || channel_samples_ == 0) return means;
  for (const ExactSum& sum : sums)
    means.push_back(sum.Get() / static_cast<double>(channel_samples_));
  return means;
}

std::vector<double> ValueStatistics::channel_means() const { return MeansOf(channel_sums_); }
std::vector<double> ValueStatistics::channel_squares() const { return MeansOf(channel_squares_); }
std::vector<float> ValueStatistics::channel_maxima() const {
  return channels_usable_ && channel_samples_ > 0 ? channel_maxima_ : std::vector<float>();
}

}  // namespace intmill
