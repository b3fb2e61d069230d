// LikelyCause: what is known to hurt uniform 8-bit steps, each with the least that is worth naming.
#include "quant/cause.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "tensor/dtype.h"

namespace intmill {
namespace {

// A tensor has 256 steps: a channel that reaches a 1/16 of the range has 16 of them, 4 bits.
constexpr double kUnbalanced = 16;
constexpr double kOutlier = 8;
constexpr double kClippedPercent = 0.5;
// Means and deviations move data by a few times; 1/255 and 1/127.5 by far more than this.
constexpr double kScaled = 8;
// So few values in the upper 15/16 of the range that most of its steps are idle.
constexpr double kIdlePercent = 0.1;

std::string Number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return text;
}

std::vector<float> NonzeroSorted(std::span<const float> peaks) {
  std::vector<float> sorted;
  std::copy_if(peaks.begin(), peaks.end(), std::back_inserter(sorted),
               [](float p) { return p > 0; });
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

std::vector<float> ChannelPeaks(const Tensor& weight, int64_t axis) {
  if (axis < 0 || axis >= weight.rank() || weight.dtype() != DType::kF32) return {};
  int64_t inner = 1;
  for (int64_t i = axis + 1; i < weight.rank(); ++i) inner *= weight.dim(i);
  std::vector<float> peaks(static_cast<size_t>(weight.dim(axis)));
  const auto values = weight.values<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    float& peak = peaks[i / static_cast<size_t>(inner) % peaks.size()];
    peak = std::max(peak, std::fabs(values[i]));
  }
  return peaks;
}

Outlier FindOutlier(std::span<const float> peaks) {
  const std::vector<float> sorted = NonzeroSorted(peaks);
  if (sorted.size() < 3) return {};
  const double median = static_cast<double>(sorted[sorted.size() / 2]);
  const auto largest = std::max_element(peaks.begin(), peaks.end());
  // The next one tells an outlier from channels that differ all over.
  const double next = static_cast<double>(sorted[sorted.size() - 2]);
  const double ratio = static_cast<double>(*largest) / median;
  if (ratio < kOutlier || static_cast<double>(*largest) < 3 * next) return {};
  return {largest - peaks.begin(), ratio};
}

double Spread(std::span<const float> peaks) {
  const std::vector<float> sorted = NonzeroSorted(peaks);
  if (sorted.size() < 2) return 1;
  const size_t tenth = sorted.size() / 10;
  return static_cast<double>(sorted[sorted.size() - 1 - tenth]) /
         static_cast<double>(sorted[tenth]);
}

namespace {

// The largest number that the integers of one scale stand for.
double Reach(const QParams& q) {
  const int64_t zero_point = q.zero_points[0];
  const int64_t steps = std::max(MaxOf(q.dtype) - zero_point, zero_point - MinOf(q.dtype));
  return static_cast<double>(q.scales[0]) * static_cast<double>(steps);
}

// Data whose size is not that of the data it was calibrated with: calibrating would have fitted the
// range to it. "" when nothing says so.
std::string WrongScale(const LayerInput& input) {
  if (!input.is_model_input || input.params == nullptr || !input.params->per_tensor()) return "";
  const double reach = Reach(*input.params);
  const double peak = std::max(std::fabs(static_cast<double>(input.sums.min())),
                               std::fabs(static_cast<double>(input.sums.max())));
  const bool is_large = input.sums.ClippedShare() > kClippedPercent && peak > kScaled * reach;
  const bool is_small = peak > 0 && peak * kScaled < reach;
  if (!is_large && !is_small) return "";
  return Cat("wrong preprocessing scale: the data reaches ", Number(peak),
             ", it was calibrated with data up to ", Number(reach));
}

std::string InputCause(const LayerInput& input) {
  const InputSums& sums = input.sums;
  if (sums.count() > 0 && sums.min() == 0 && sums.max() == 0)
    return "dead range: its input is always 0";
  if (std::string text = WrongScale(input); !text.empty()) return text;
  if (sums.ClippedShare() > kClippedPercent)
    return Cat("saturation: ", Number(sums.ClippedShare()),
               " % of its input lies beyond the calibrated range");
  if (const Outlier outlier = FindOutlier(sums.channel_peaks()); outlier.channel >= 0)
    return Cat("outliers in channel ", outlier.channel, " of its input, ", Number(outlier.ratio),
               " times the median channel");
  return "";
}

}  // namespace

std::string LikelyCause(const LayerInput& input, std::span<const float> weight_peaks,
                        const LayerScheme& scheme) {
  if (std::string text = InputCause(input); !text.empty()) return text;
  const InputSums& sums = input.sums;
  if (!scheme.per_channel && Spread(weight_peaks) > kUnbalanced)
    return Cat("unbalanced channels: weights differ ", Number(Spread(weight_peaks)),
               "-fold between output channels, which share one scale");
  if (Spread(sums.channel_peaks()) > kUnbalanced)
    return Cat("unbalanced channels: its input differs ", Number(Spread(sums.channel_peaks())),
               "-fold between channels, which share one scale");
  if (sums.count() > 0 && sums.LargeShare() < kIdlePercent)
    return Cat("dead range: all but ", Number(sums.LargeShare()),
               " % of its input lies within a sixteenth of the calibrated range");
  return "";
}

}  // namespace intmill
