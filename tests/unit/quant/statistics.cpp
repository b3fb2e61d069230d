// ValueStatistics and ExactSum: exact counts, whatever the order and the portions.
#include "quant/statistics.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <criterion/criterion.h>
#include <limits>
#include <numeric>

#include "unit/quant/data.h"

using namespace intmill;

namespace {

// 60 batches whose magnitudes differ by powers, some of zeros only, with a NaN here and there.
std::vector<std::vector<float>> Batches() {
  std::vector<std::vector<float>> batches;
  for (unsigned i = 0; i < 60; ++i) {
    std::vector<float> batch = Normal(500, i, std::ldexp(1.0f, static_cast<int>(i * 7 % 23) - 11));
    if (i % 9 == 0) std::fill(batch.begin(), batch.end(), 0.0f);
    if (i % 11 == 3) batch[17] = NAN;
    if (i % 13 == 5) batch = Relu(batch);
    batches.push_back(batch);
  }
  return batches;
}

ValueStatistics Of(const std::vector<float>& values) {
  ValueStatistics statistics;
  statistics.Add(values);
  return statistics;
}

uint64_t Sum(std::span<const uint64_t> bins) {
  return std::accumulate(bins.begin(), bins.end(), uint64_t{0});
}

}  // namespace

Test(statistics, equal_whatever_the_order_and_the_partition) {
  const auto batches = Batches();
  ValueStatistics expected;
  for (const auto& batch : batches) expected.Add(batch);
  for (unsigned trial = 0; trial < 100; ++trial) {
    std::mt19937 random(trial);
    std::vector<size_t> order(batches.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::shuffle(order.begin(), order.end(), random);
    std::vector<ValueStatistics> parts(1 + random() % 16);
    for (const size_t i : order) parts[random() % parts.size()].Add(batches[i]);
    std::shuffle(parts.begin(), parts.end(), random);
    ValueStatistics merged;
    for (const ValueStatistics& part : parts) merged.Merge(part);
    cr_assert(merged == expected, "trial %u", trial);
  }
}

Test(statistics, widening_gives_what_wide_bins_would_have_given) {
  const std::vector<float> small = Normal(1000, 1);
  const std::vector<float> large = {300.0f};
  ValueStatistics widened = Of(small);
  widened.Add(large);
  ValueStatistics wide = Of(large);
  wide.Add(small);
  cr_assert_eq(widened.exponent(), -2);  // 300 < 2048 * 2^-2
  cr_assert(std::ranges::equal(widened.positive(), wide.positive()));
  cr_assert(std::ranges::equal(widened.negative(), wide.negative()));
}

Test(statistics, every_value_is_counted_once) {
  const ValueStatistics statistics = Of({-2.0f, -1.0f, 0.0f, -0.0f, 0.5f, 3.0f, 3.0f});
  cr_assert_eq(statistics.count(), 7);
  cr_assert_eq(statistics.zeros(), 2);
  cr_assert_eq(Sum(statistics.positive()), 3);
  cr_assert_eq(Sum(statistics.negative()), 2);
}

// Small ones are counted one by one, large ones in tables.
Test(statistics, large_portions_count_as_small_ones_do) {
  for (const float sigma : {1.0f, 3e-38f, 1e37f}) {
    std::vector<float> values = Normal(9001, 3, sigma);
    for (size_t i = 0; i < values.size(); i += 5) values[i] = i % 2 == 0 ? 0.0f : -0.0f;
    ValueStatistics small;
    ValueStatistics large;
    large.Add(values);
    small.Add(values, 9001);
    cr_expect(std::ranges::equal(small.positive(), large.positive()));
    cr_expect(std::ranges::equal(small.negative(), large.negative()));
    cr_expect_eq(small.zeros(), 1801);
    cr_expect_eq(large.zeros(), 1801);
    values[8000] = NAN;
    cr_expect_eq(Of(values).count(), 9000);
  }
}

Test(statistics, a_bin_holds_the_values_of_its_interval) {
  const ValueStatistics statistics = Of({0.75f, 1.0f});
  cr_assert_eq(statistics.bin_width(), std::ldexp(1.0, -10));
  cr_assert_eq(statistics.positive()[768], 1);
  cr_assert_eq(statistics.positive()[1024], 1);
}

Test(statistics, extremes_are_exact) {
  const ValueStatistics statistics = Of({-0.1f, 0.2f, 0.3f});
  cr_assert_eq(statistics.min(), -0.1f);
  cr_assert_eq(statistics.max(), 0.3f);
}

Test(statistics, nonfinite_values_are_counted_and_left_out) {
  const ValueStatistics statistics = Of({NAN, INFINITY, -INFINITY, 1.0f});
  cr_assert_eq(statistics.nonfinite(), 3);
  cr_assert_eq(statistics.count(), 1);
  cr_assert_eq(statistics.max(), 1.0f);
}

Test(statistics, the_smallest_and_the_largest_float_have_bins) {
  const ValueStatistics tiny = Of({std::numeric_limits<float>::denorm_min()});
  const ValueStatistics huge = Of({FLT_MAX, -FLT_MAX});
  cr_assert_eq(Sum(tiny.positive()), 1);
  cr_assert_eq(Sum(huge.positive()), 1);
  cr_assert_eq(Sum(huge.negative()), 1);
  ValueStatistics both = huge;
  both.Merge(tiny);
  cr_assert_eq(both.positive()[0], 1);
}

Test(statistics, zeros_alone_have_no_bins) {
  const ValueStatistics statistics = Of({0.0f, 0.0f});
  cr_assert_not(statistics.has_bins());
  cr_assert_eq(statistics.count(), 2);
}

Test(statistics, average_is_the_mean_of_the_samples_extremes) {
  ValueStatistics statistics;
  const std::vector<float> two_samples = {-1.0f, 4.0f, -3.0f, 8.0f};
  statistics.Add(two_samples, 2);
  cr_assert_eq(statistics.average().min, -2.0f);
  cr_assert_eq(statistics.average().max, 6.0f);
}

Test(statistics, average_does_not_depend_on_the_batch_size) {
  const std::vector<float> values = Normal(1200, 3);
  ValueStatistics at_once;
  at_once.Add(values, 12);
  ValueStatistics one_by_one;
  for (size_t i = 0; i < 12; ++i)
    one_by_one.Add(std::span<const float>(values).subspan(100 * i, 100));
  cr_assert(at_once == one_by_one);
}

Test(exact_sum, loses_nothing_beside_large_numbers) {
  ExactSum sum;
  for (const float x : {1e30f, 1.0f, -1e30f, 0x1p-140f}) sum.Add(x);
  cr_assert_eq(sum.Get(), 1.0 + 0x1p-140);
}

Test(exact_sum, is_exact_for_the_extremes_of_float) {
  ExactSum sum;
  sum.Add(FLT_MAX);
  sum.Add(std::numeric_limits<float>::denorm_min());
  sum.Add(-FLT_MAX);
  cr_assert_eq(sum.Get(), static_cast<double>(std::numeric_limits<float>::denorm_min()));
}

Test(exact_sum, negative_totals_come_out) {
  ExactSum a;
  a.Add(-2.5f);
  ExactSum b;
  b.Add(1.0f);
  a.Merge(b);
  cr_assert_eq(a.Get(), -1.5);
}
