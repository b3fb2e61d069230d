// LikelyCause: what is known to hurt uniform 8-bit steps, each with the least that is worth naming.
#include "quant/cause.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace intmill {
namespace {

// A tensor has 256 steps: a channel that reaches a 1/16 of the range has 16 of them, 4 bits.
constexpr double kUnbalanced = 16;
constexpr double kOutlier = 8;
constexpr double kClippedPercent = 0.5;
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

std::string LikelyCause(const InputSums& input, std::span<const float> weight_peaks,
                        const LayerScheme& scheme) {
  if (input.count() > 0 && input.min() == 0 && input.max() == 0)
    return "dead range: its input is always 0";
  if (input.ClippedShare() > kClippedPercent)
    return Cat("saturation: ", Number(input.ClippedShare()),
               " % of its input lies beyond the calibrated range");
  if (const Outlier outlier = FindOutlier(input.channel_peaks()); outlier.channel >= 0)
    return Cat("outliers in channel ", outlier.channel, " of its input, ", Number(outlier.ratio),
               " times the median channel");
  if (!scheme.per_channel && Spread(weight_peaks) > kUnbalanced)
    return Cat("unbalanced channels: weights differ ", Number(Spread(weight_peaks)),
               "-fold between output channels, which share one scale");
  if (Spread(input.channel_peaks()) > kUnbalanced)
    return Cat("unbalanced channels: its input differs ", Number(Spread(input.channel_peaks())),
               "-fold between channels, which share one scale");
  if (input.count() > 0 && input.LargeShare() < kIdlePercent)
    return Cat("dead range: all but ", Number(input.LargeShare()),
               " % of its input lies within a sixteenth of the calibrated range");
  return "";
}

}  // namespace intmill
