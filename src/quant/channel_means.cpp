// ValueStatistics: what single channels are like: means say by how much rounded weights shift a
// result, maxima and squares how channels should be scaled.
#include <algorithm>
#include <cmath>

#include "quant/statistics.h"

namespace intmill {

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

// Within a sample the sums are doubles in the order of memory; over samples they are exact, so that
// the order and the portions of samples do not show.
void ValueStatistics::AddSampleChannels(std::span<const float> values, size_t channels,
                                        size_t inner) {
  std::vector<double> sums(channels);
  std::vector<double> squares(channels);
  std::vector<float> maxima(channels);
  for (size_t row = 0; row < values.size(); row += channels * inner) {
    for (size_t c = 0; c < channels; ++c) {
      double sum = sums[c];
      double square = squares[c];
      float largest = maxima[c];
      const float* x = values.data() + row + c * inner;
      for (size_t i = 0; i < inner; ++i) {
        const double value = static_cast<double>(x[i]);
        sum += value;
        square += value * value;
        largest = std::max(largest, std::fabs(x[i]));
      }
      sums[c] = sum;
      squares[c] = square;
      maxima[c] = largest;
    }
  }
  if (channel_sums_.empty()) ResizeChannels(channels);
  if (channel_sums_.size() != channels) channels_usable_ = false;
  ++channel_samples_;
  const double count = static_cast<double>(values.size() / channels);
  for (size_t c = 0; c < channels && channels_usable_; ++c) {
    const float mean = static_cast<float>(sums[c] / count);
    const float square = static_cast<float>(squares[c] / count);
    if (!std::isfinite(mean) || !std::isfinite(square)) {
      channels_usable_ = false;
      break;
    }
    channel_sums_[c].Add(mean);
    channel_squares_[c].Add(square);
    channel_maxima_[c] = std::max(channel_maxima_[c], maxima[c]);
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
