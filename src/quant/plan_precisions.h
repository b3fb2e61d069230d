// Which precision to give each layer: the cheapest choice that keeps within a budget of noise.
#ifndef INTMILL_QUANT_PLAN_PRECISIONS_H
#define INTMILL_QUANT_PLAN_PRECISIONS_H

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"

namespace intmill {

// `noise` and `cost` have one entry for each layer and precision, a layer's beside each other, none
// negative; NaN is refused. Noise of layers adds up, as that of independent roundings does.
//
// Minimizes the sum of costs while the sum of noises is at most `max_noise`: a multiple-choice
// knapsack (Sinha, Zoltners 1979), solved by dynamic programming over 4096 equal parts of the
// budget, each noise rounded up. Where no choice keeps within the budget, each layer has its least
// noise. Of choices of equal cost the one with less noise. Answers a precision for each layer.
Result<std::vector<int64_t>> PlanPrecisions(int64_t precisions, std::span<const double> noise,
                                            std::span<const double> cost, double max_noise);

}  // namespace intmill

#endif  // INTMILL_QUANT_PLAN_PRECISIONS_H
