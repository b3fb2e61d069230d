// FindRange: the method by its name, and what holds for every method.
#include "quant/observers/observer.h"

#include <algorithm>

namespace intmill {
namespace {

Range RangeByMethod(const ValueStatistics& statistics, const LayerScheme& scheme) {
  switch (scheme.calibration) {
    case Calibration::kMinMax:
      return observers::MinMaxRange(statistics);
    case Calibration::kAverage:
      return observers::AverageRange(statistics);
    case Calibration::kPercentile:
      return observers::PercentileRange(statistics, scheme.percentile);
    case Calibration::kEntropy:
      return observers::EntropyRange(statistics, scheme.activation_symmetric);
    case Calibration::kMse:
      return observers::MseRange(statistics, scheme.activation_symmetric);
  }
  return observers::MinMaxRange(statistics);
}

}  // namespace

Range FindRange(const ValueStatistics& statistics, const LayerScheme& scheme) {
  if (!statistics.has_bins()) return {};
  // Methods that clip give range for resolution, of which 16 bits have 256 times as much.
  const Range range = scheme.activation_dtype == DType::kS16 ? observers::MinMaxRange(statistics)
                                                             : RangeByMethod(statistics, scheme);
  return {std::clamp(range.min, statistics.min(), statistics.max()),
          std::clamp(range.max, statistics.min(), statistics.max())};
}

}  // namespace intmill
