// The few numbers that stand for many.
#ifndef INTMILL_TESTS_BENCH_COMPARE_STATISTICS_H
#define INTMILL_TESTS_BENCH_COMPARE_STATISTICS_H

#include <limits>
#include <vector>

namespace intmill::bench {

// What was not measured.
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// The middle one, or the mean of the two in the middle; kNone of nothing.
double Median(std::vector<double> values);

// exp(mean(log v)) of the positive, finite ones; kNone when there is none.
double GeometricMean(const std::vector<double>& values);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_STATISTICS_H
