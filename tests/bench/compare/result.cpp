// What follows from the figures of a comparison.
#include "bench/compare/result.h"

namespace intmill::bench {

double Ratio(const ModelResult& result, Variant slow, Variant fast) {
  return result.figures[slow].median_ms / result.figures[fast].median_ms;
}

double Gops(const ModelResult& result, Variant variant) {
  return 2 * result.macs / result.figures[variant].median_ms / 1e6;
}

double MeanRatio(const Comparison& comparison, Variant slow, Variant fast) {
  std::vector<double> ratios;
  for (const ModelResult& result : comparison.models) ratios.push_back(Ratio(result, slow, fast));
  return GeometricMean(ratios);
}

}  // namespace intmill::bench
