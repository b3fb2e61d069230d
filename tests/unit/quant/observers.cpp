// The five ways to choose a range: what each does with outliers, one-sided and degenerate data.
#include <cmath>
#include <criterion/criterion.h>

#include "quant/observers/observer.h"
#include "unit/quant/data.h"

using namespace intmill;

namespace {

constexpr Calibration kAll[] = {Calibration::kMinMax, Calibration::kAverage,
                                Calibration::kPercentile, Calibration::kEntropy, Calibration::kMse};

ValueStatistics Of(const std::vector<float>& values) {
  ValueStatistics statistics;
  statistics.Add(values);
  return statistics;
}

Range Find(const std::vector<float>& values, Calibration method, double percentile = 99.99) {
  LayerScheme scheme;
  scheme.calibration = method;
  scheme.percentile = percentile;
  return FindRange(Of(values), scheme);
}

std::vector<float> NormalWithOutlier(float outlier) {
  std::vector<float> values = Normal(100000, 5);
  values[123] = outlier;
  return values;
}

// What quantizing `values` to 256 levels over the range costs, measured and not modelled.
double MeasuredError(const std::vector<float>& values, Range range) {
  const double step = (static_cast<double>(range.max) - range.min) / 255;
  double sum = 0;
  for (const float x : values) {
    const double clipped = std::clamp<double>(x, range.min, range.max);
    const double error = std::rint(clipped / step) * step - x;
    sum += error * error;
  }
  return sum;
}

}  // namespace

Test(observers, minmax_keeps_the_extremes) {
  const Range range = Find({-1.5f, 0.0f, 2.25f}, Calibration::kMinMax);
  cr_assert_eq(range.min, -1.5f);
  cr_assert_eq(range.max, 2.25f);
}

Test(observers, average_is_moved_less_than_minmax_by_one_odd_sample) {
  ValueStatistics statistics;
  for (unsigned i = 0; i < 10; ++i) statistics.Add(std::vector<float>{0.0f, 1.0f});
  statistics.Add(std::vector<float>{0.0f, 12.0f});
  LayerScheme scheme;
  scheme.calibration = Calibration::kAverage;
  cr_assert_eq(FindRange(statistics, scheme).max, 2.0f);
}

Test(observers, percentile_observer_ignores_outliers) {
  const Range range = Find(NormalWithOutlier(10.0f), Calibration::kPercentile);
  cr_assert_gt(range.max, 3.3f);
  cr_assert_lt(range.max, 4.5f);
}

Test(observers, percentile_of_100_is_minmax) {
  const std::vector<float> values = NormalWithOutlier(10.0f);
  const Range range = Find(values, Calibration::kPercentile, 100);
  cr_assert_eq(range.min, Find(values, Calibration::kMinMax).min);
  cr_assert_eq(range.max, 10.0f);
}

Test(observers, percentile_leaves_out_half_of_the_rest_on_each_side) {
  std::vector<float> values(2000);
  for (size_t i = 0; i < 1000; ++i) {
    values[2 * i] = static_cast<float>(i + 1);
    values[2 * i + 1] = -static_cast<float>(i + 1);
  }
  const Range range = Find(values, Calibration::kPercentile, 90);
  cr_assert_float_eq(range.max, 900.0f, 1.0f);  // one bin is one half
  cr_assert_float_eq(range.min, -900.0f, 1.0f);
}

Test(observers, entropy_differs_from_minmax_on_data_with_outliers) {
  const Range range = Find(NormalWithOutlier(40.0f), Calibration::kEntropy);
  cr_assert_lt(range.max, 20.0f);
  cr_assert_gt(range.max, 2.0f);
}

Test(observers, entropy_keeps_the_range_of_uniform_data) {
  std::vector<float> values(60000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 60000.0f;
  cr_assert_gt(Find(values, Calibration::kEntropy).max, 0.95f);
}

Test(observers, mse_clips_a_huge_outlier_no_further_than_pays) {
  const std::vector<float> values = NormalWithOutlier(40.0f);
  const Range range = Find(values, Calibration::kMse);
  cr_assert_lt(range.max, 40.0f);
  cr_assert_lt(MeasuredError(values, range),
               MeasuredError(values, Find(values, Calibration::kMinMax)));
}

Test(observers, mse_is_near_the_measured_optimum) {
  const std::vector<float> values = Normal(50000, 9);
  const Range range = Find(values, Calibration::kMse);
  const double chosen = MeasuredError(values, range);
  for (float t = 2.5f; t < 6.0f; t += 0.1f)
    cr_assert_lt(chosen, 1.02 * MeasuredError(values, {-t, t}), "at %g", static_cast<double>(t));
}

Test(observers, asymmetric_tails_are_clipped_on_their_own_side) {
  std::vector<float> values = Normal(100000, 5);
  for (size_t i = 0; i < 20; ++i) values[100 * i] = 30.0f + static_cast<float>(i) / 20;
  const Range range = Find(values, Calibration::kPercentile);
  cr_assert_lt(range.min, -3.0f);
  cr_assert_gt(range.max, 30.0f);  // 20 values are more than 5 in 100,000
}

Test(observers, one_sided_data_gets_a_one_sided_range) {
  for (const Calibration method : kAll) {
    const Range range = Find(Relu(Normal(50000, 2)), method);
    cr_assert_eq(range.min, 0.0f, "method %d", static_cast<int>(method));
    cr_assert_gt(range.max, 2.0f, "method %d", static_cast<int>(method));
  }
}

Test(observers, negative_data_gets_a_negative_range) {
  for (const Calibration method : kAll) {
    std::vector<float> values = Normal(50000, 2);
    for (float& x : values) x = -std::fabs(x);
    const Range range = Find(values, method);
    cr_assert_leq(range.max, 0.0f, "method %d", static_cast<int>(method));
    cr_assert_lt(range.min, -2.0f, "method %d", static_cast<int>(method));
  }
}

Test(observers, many_zeros_do_not_move_entropy_and_mse) {
  const std::vector<float> values = Relu(Normal(50000, 4));
  std::vector<float> with_zeros = values;
  with_zeros.resize(500000, 0.0f);
  for (const Calibration method : {Calibration::kEntropy, Calibration::kMse})
    cr_assert_eq(Find(values, method).max, Find(with_zeros, method).max);
}

Test(observers, zeros_alone_give_an_empty_range) {
  for (const Calibration method : kAll) {
    const Range range = Find(std::vector<float>(100, 0.0f), method);
    cr_assert_eq(range.min, 0.0f);
    cr_assert_eq(range.max, 0.0f);
  }
}

Test(observers, no_data_gives_an_empty_range) {
  for (const Calibration method : kAll) {
    const Range range = Find({}, method);
    cr_assert_eq(range.min, 0.0f);
    cr_assert_eq(range.max, 0.0f);
  }
}

Test(observers, a_single_value_is_covered) {
  for (const Calibration method : kAll) {
    const Range range = Find({0.7f}, method);
    cr_assert_eq(range.max, 0.7f, "method %d", static_cast<int>(method));
  }
}

Test(observers, ranges_stay_within_what_was_seen) {
  const std::vector<float> values = Normal(1000, 8);
  const Range seen = Find(values, Calibration::kMinMax);
  for (const Calibration method : kAll) {
    for (const bool symmetric : {false, true}) {
      LayerScheme scheme;
      scheme.calibration = method;
      scheme.activation_symmetric = symmetric;
      const Range range = FindRange(Of(values), scheme);
      cr_assert_geq(range.min, seen.min);
      cr_assert_leq(range.max, seen.max);
      cr_assert_lt(range.min, range.max);
    }
  }
}

Test(observers, symmetric_grids_are_searched_as_such) {
  std::vector<float> values = Relu(Normal(50000, 6));
  values[0] = 60.0f;
  LayerScheme scheme;
  scheme.calibration = Calibration::kMse;
  const float asymmetric = FindRange(Of(values), scheme).max;
  scheme.activation_symmetric = true;  // steps twice as wide: clipping pays more
  cr_assert_lt(FindRange(Of(values), scheme).max, asymmetric);
}
