// The few numbers that stand for many.
#include "bench/compare/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace intmill::bench {

double Median(std::vector<double> values) {
  if (values.empty()) return kNone;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double GeometricMean(const std::vector<double>& values) {
  double sum = 0;
  int64_t count = 0;
  for (const double value : values) {
    if (!std::isfinite(value) || value <= 0) continue;
    sum += std::log(value);
    ++count;
  }
  return count == 0 ? kNone : std::exp(sum / static_cast<double>(count));
}

}  // namespace intmill::bench
