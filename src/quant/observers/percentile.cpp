// Percentile: leaves out the rarest large values on both sides.
#include <algorithm>
#include <cmath>

#include "quant/observers/observer.h"

namespace intmill::observers {
namespace {

// The smallest bin edge such that at most `allowed` of the values counted in `bins` lie beyond it.
double Edge(std::span<const uint64_t> bins, double width, double allowed) {
  double beyond = 0;
  for (size_t i = bins.size(); i > 0; --i) {
    beyond += static_cast<double>(bins[i - 1]);
    if (beyond > allowed) return static_cast<double>(i) * width;
  }
  return 0;
}

}  // namespace

// Each side may lose half of the rest, of all values and zeros too: data on one side of zero only
// (after a ReLU) then loses as much as each side of symmetric data.
Range PercentileRange(const ValueStatistics& statistics, double percentile) {
  const double rest = std::max(0.0, 100.0 - percentile) / 100.0;
  const double allowed = static_cast<double>(statistics.count()) * rest / 2;
  const double width = statistics.bin_width();
  return {static_cast<float>(-Edge(statistics.negative(), width, allowed)),
          static_cast<float>(Edge(statistics.positive(), width, allowed))};
}

}  // namespace intmill::observers
