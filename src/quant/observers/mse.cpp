// MSE: the range whose 8-bit grid has the least expected squared error.
#include <algorithm>
#include <vector>

#include "quant/observers/clip_search.h"
#include "quant/observers/observer.h"

namespace intmill::observers {
namespace {

constexpr double kLevels = 255;  // steps of the grid

// Sums of 1, x and x^2 over the bins from i on, x being the bins' centres in units of bins.
struct Tail {
  double n = 0;
  double x = 0;
  double xx = 0;
};

std::vector<Tail> Tails(std::span<const uint64_t> bins) {
  std::vector<Tail> tails(ValueStatistics::kBins + 1);
  for (size_t i = bins.size(); i > 0; --i) {
    const double n = static_cast<double>(bins[i - 1]);
    const double centre = static_cast<double>(i) - 0.5;
    const Tail& next = tails[i];
    tails[i - 1] = {next.n + n, next.x + n * centre, next.xx + n * centre * centre};
  }
  return tails;
}

// sum (x - edge)^2 over what lies beyond the edge
double ClippingError(const std::vector<Tail>& tails, int64_t edge) {
  const Tail& t = tails[static_cast<size_t>(edge)];
  const double e = static_cast<double>(edge);
  return t.xx - 2 * e * t.x + e * e * t.n;
}

}  // namespace

// Error = clipping + rounding, where a value inside the range is off by s^2 / 12 on average
// (uniform within its step) and a zero is exact.
Range MseRange(const ValueStatistics& statistics, bool symmetric) {
  const std::vector<Tail> low = Tails(statistics.negative());
  const std::vector<Tail> high = Tails(statistics.positive());
  const auto loss = [&](const Clip& clip) {
    const int64_t covered = symmetric ? 2 * std::max(clip.low, clip.high) : clip.low + clip.high;
    const double step = static_cast<double>(covered) / kLevels;
    const double inside = low[0].n - low[static_cast<size_t>(clip.low)].n + high[0].n -
                          high[static_cast<size_t>(clip.high)].n;
    return ClippingError(low, clip.low) + ClippingError(high, clip.high) +
           inside * step * step / 12;
  };
  return SearchClip(statistics, symmetric, loss);
}

}  // namespace intmill::observers
