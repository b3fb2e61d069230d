// Tests of comparing tensors.
#include "tensor/compare.h"

#include <cmath>
#include <criterion/criterion.h>
#include <limits>

#include "tensor/quantize.h"

using namespace intmill;

namespace {

Tensor Floats(const std::vector<float>& values) { return *Tensor::Of(std::span(values)); }

Difference Compare(const std::vector<float>& a, const std::vector<float>& b) {
  Comparison comparison;
  const Status status = comparison.Add(Floats(a), Floats(b));
  cr_assert(status.ok());
  return comparison.Get();
}

}  // namespace

Test(compare, measures_errors_by_their_formulas) {
  const Difference d = Compare({3, 4}, {3, 2});
  cr_expect_eq(d.max_abs, 2);
  cr_expect_eq(d.mean_abs, 1);
  cr_expect_eq(d.mse, 2);
  cr_expect_float_eq(d.sqnr_db, 10 * std::log10(25.0 / 4), 1e-12);  // rounding of doubles
  cr_expect_float_eq(d.cosine, 17 / (5 * std::sqrt(13.0)), 1e-12);
}

Test(compare, equal_tensors_have_infinite_sqnr) {
  const Difference d = Compare({1, -2, 0.1f}, {1, -2, 0.1f});
  cr_expect_eq(d.max_abs, 0);
  cr_expect(std::isinf(d.sqnr_db) && d.sqnr_db > 0);
  cr_expect_float_eq(d.cosine, 1, 1e-15);
}

Test(compare, the_cosine_of_zeros_is_one_and_of_one_zero_is_zero) {
  cr_expect_eq(Compare({0, 0}, {0, 0}).cosine, 1);
  cr_expect_eq(Compare({0, 0}, {0, 1}).cosine, 0);
}

Test(compare, noise_without_signal_is_minus_infinity) {
  const double sqnr = Compare({0}, {1}).sqnr_db;
  cr_expect(std::isinf(sqnr) && sqnr < 0);
}

Test(compare, a_value_that_is_not_finite_on_one_side_is_an_infinite_error) {
  const float inf = std::numeric_limits<float>::infinity();
  cr_expect(std::isinf(Compare({1, 2}, {1, std::nanf("")}).max_abs));
  cr_expect(std::isinf(Compare({1, inf}, {1, -inf}).max_abs));
  cr_expect_eq(Compare({1, inf}, {1, inf}).max_abs, 0);
  cr_expect_eq(Compare({std::nanf("")}, {std::nanf("")}).max_abs, 0);
}

Test(compare, quantized_tensors_stand_for_real_values) {
  const Tensor x = Floats({0.5f, 1, -1.5f});
  const QParams q{.dtype = DType::kS8, .axis = -1, .scales = {0.5f}, .zero_points = {3}};
  Comparison comparison;
  cr_assert(comparison.Add(x, *Quantize(x, q)).ok());
  cr_expect_eq(comparison.Get().max_abs, 0);
}

Test(compare, batches_add_up_to_the_whole) {
  Comparison parts;
  cr_assert(parts.Add(Floats({1, 2}), Floats({1, 3})).ok());
  cr_assert(parts.Add(Floats({5}), Floats({4})).ok());
  const Difference whole = Compare({1, 2, 5}, {1, 3, 4});
  cr_expect_eq(parts.Get().mse, whole.mse);
  cr_expect_eq(parts.Get().sqnr_db, whole.sqnr_db);
  cr_expect_eq(parts.count(), 3);
}

Test(compare, refuses_other_shapes_and_no_values) {
  Comparison comparison;
  cr_expect_eq(comparison.Add(Floats({1}), Floats({1, 2})).code(), Code::kShape);
  cr_expect_eq(comparison.Add(Tensor(), Tensor()).code(), Code::kUnsupported);
}
