// Tests of the arithmetic that quantization promises: rounding, ends, ranges, parameters.
#include "tensor/quantize.h"

#include <cfloat>
#include <cmath>
#include <criterion/criterion.h>
#include <limits>
#include <random>

using namespace intmill;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

Tensor Floats(const std::vector<float>& values, Shape shape) {
  return *Tensor::Of(std::span<const float>(values))->Reshaped(std::move(shape));
}

QParams PerTensor(DType dtype, float scale, int32_t zero_point) {
  return {.dtype = dtype, .axis = -1, .scales = {scale}, .zero_points = {zero_point}};
}

Tensor Normal(int64_t n, unsigned seed) {
  Tensor t = *Tensor::Make(DType::kF32, {n});
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  for (int64_t i = 0; i < n; ++i) t.mutable_data<float>()[i] = normal(generator);
  return t;
}

void ExpectChosen(Range range, DType dtype, bool symmetric, float scale, int32_t zero_point) {
  float s = 0;
  int32_t z = 0;
  ChooseScale(range, dtype, symmetric, &s, &z);
  cr_expect_eq(s, scale, "found scale %g, wanted %g", s, scale);
  cr_expect_eq(z, zero_point, "found zero point %d, wanted %d", z, zero_point);
}

void ExpectBadQParams(const QParams& q, const std::string& part) {
  const Status status = CheckQParams(q);
  cr_expect_eq(status.code(), Code::kInvalidArgument);
  cr_expect_neq(status.message().find(part), std::string::npos, "%s", status.message().c_str());
}

}  // namespace

Test(quantize_value, rounds_half_to_even_before_adding_the_zero_point) {
  cr_expect_eq(QuantizeValue(0.5f, 1, 1, -128, 127), 1);
  cr_expect_eq(QuantizeValue(1.5f, 1, 1, -128, 127), 3);
  cr_expect_eq(QuantizeValue(2.5f, 1, 0, -128, 127), 2);
  cr_expect_eq(QuantizeValue(-0.5f, 1, 0, -128, 127), 0);
  cr_expect_eq(QuantizeValue(-1.5f, 1, 0, -128, 127), -2);
}

Test(quantize_value, divides_instead_of_multiplying_by_the_reciprocal) {
  int told_apart = 0;
  for (int k = 1; k < 2000; ++k) {
    const float s = 1.0f / static_cast<float>(k);
    const float x = 2.5f * s;
    if (std::rint(x * (1 / s)) != std::rint(x / s)) ++told_apart;
    cr_expect_eq(static_cast<float>(QuantizeValue(x, s, 0, -128, 127)), std::rint(x / s));
  }
  cr_expect_gt(told_apart, 0, "these inputs cannot tell the two apart");
}

Test(quantize_value, saturates_at_both_ends) {
  cr_expect_eq(QuantizeValue(1e30f, 1, 0, 0, 255), 255);
  cr_expect_eq(QuantizeValue(-1e30f, 1, 0, 0, 255), 0);
  cr_expect_eq(QuantizeValue(kInf, 0.1f, 3, -128, 127), 127);
  cr_expect_eq(QuantizeValue(-kInf, 0.1f, 3, -128, 127), -128);
  cr_expect_eq(QuantizeValue(FLT_MAX, FLT_MIN, -128, -128, 127), 127);
}

Test(quantize_value, nan_becomes_the_zero_point) {
  cr_expect_eq(QuantizeValue(kNan, 1, 42, 0, 255), 42);
  cr_expect_eq(QuantizeValue(kNan, 1, -7, -128, 127), -7);
}

Test(quantize_value, reaches_every_value_of_32_bits) {
  cr_expect_eq(QuantizeValue(3e9f, 1, 0, INT32_MIN, INT32_MAX), INT32_MAX);
  cr_expect_eq(QuantizeValue(-3e9f, 1, 0, INT32_MIN, INT32_MAX), INT32_MIN);
  cr_expect_eq(QuantizeValue(2147483520.0f, 1, 0, INT32_MIN, INT32_MAX), 2147483520);
}

Test(choose_scale, asymmetric_covers_the_range) {
  ExpectChosen({-1, 3}, DType::kU8, false, static_cast<float>(4.0 / 255), 64);
  ExpectChosen({-1, 3}, DType::kS8, false, static_cast<float>(4.0 / 255), -64);
}

Test(choose_scale, a_range_always_holds_zero) {
  ExpectChosen({2, 5.1f}, DType::kU8, false, static_cast<float>(5.1f / 255.0), 0);
  ExpectChosen({-2.55f, -1}, DType::kU8, false, static_cast<float>(2.55f / 255.0), 255);
}

Test(choose_scale, symmetric_s8_is_narrow) {
  ExpectChosen({-1.27f, 0.5f}, DType::kS8, true, static_cast<float>(1.27f / 127.0), 0);
}

Test(choose_scale, symmetric_u8_is_s8_shifted_by_128) {
  ExpectChosen({-1.27f, 0.5f}, DType::kU8, true, static_cast<float>(1.27f / 127.0), 128);
}

Test(choose_scale, a_range_of_zero_has_scale_one) {
  ExpectChosen({0, 0}, DType::kS8, true, 1, 0);
  ExpectChosen({0, 0}, DType::kU8, false, 1, 0);
}

Test(choose_scale, extreme_ranges_give_normal_scales) {
  ExpectChosen({0, 1e-45f}, DType::kU8, false, FLT_MIN, 0);
  ExpectChosen({-FLT_MAX, FLT_MAX}, DType::kU8, false, static_cast<float>(2.0 * FLT_MAX / 255),
               128);
  ExpectChosen({-kInf, kNan}, DType::kS8, true, static_cast<float>(FLT_MAX / 127.0), 0);
}

Test(qparams, hostile_scales_are_refused) {
  for (const float scale : {0.0f, -1.0f, kNan, kInf, 1e-45f})
    ExpectBadQParams(PerTensor(DType::kU8, scale, 0), "is not a positive, finite, normal number");
}

Test(qparams, zero_points_must_be_values_of_the_type) {
  ExpectBadQParams(PerTensor(DType::kU8, 1, 256), "zero point 256 is not in 0..255 of u8");
  ExpectBadQParams(PerTensor(DType::kU8, 1, -1), "zero point -1");
  ExpectBadQParams(PerTensor(DType::kS8, 1, -129), "zero point -129");
  ExpectBadQParams(PerTensor(DType::kS32, 1, 1), "zero point 1 is not in 0..0 of s32");
}

Test(qparams, counts_and_types_must_fit) {
  ExpectBadQParams({.dtype = DType::kF32, .axis = -1, .scales = {1}, .zero_points = {0}},
                   "cannot quantize to f32");
  ExpectBadQParams({.dtype = DType::kU8, .axis = -1, .scales = {1, 2}, .zero_points = {0, 0}},
                   "wanted 1");
  ExpectBadQParams({.dtype = DType::kU8, .axis = 0, .scales = {1, 2}, .zero_points = {0}},
                   "2 scales and 1 zero points");
  ExpectBadQParams({.dtype = DType::kU8, .axis = 12, .scales = {1}, .zero_points = {0}},
                   "axis 12 is not in -1..11");
}

Test(qparams, the_axis_must_have_as_many_indices_as_scales) {
  const QParams q{.dtype = DType::kS8, .axis = 1, .scales = {1, 2}, .zero_points = {0, 0}};
  cr_expect(CheckQParamsFit(q, {5, 2}).ok());
  cr_expect_eq(CheckQParamsFit(q, {5, 3}).message(),
               "found 2 scales along axis 1 of 5x3, wanted 3");
  cr_expect_eq(CheckQParamsFit(q, {5}).code(), Code::kShape);
}

Test(choose, leaves_out_what_is_not_finite) {
  const Tensor x = Floats({-1, kInf, 3, kNan, -kInf}, {5});
  const Result<QParams> q = ChooseQParams(x, {.dtype = DType::kU8});
  cr_assert(q.ok());
  cr_expect_eq(q->scales[0], static_cast<float>(4.0 / 255));
}

Test(choose, along_an_axis_has_a_scale_for_each_index) {
  const Tensor x = Floats({1, -2, 10, 20, 100, -200}, {3, 2});
  const Result<QParams> q = ChooseQParams(x, {.dtype = DType::kS8, .symmetric = true, .axis = 0});
  cr_assert(q.ok());
  cr_assert_eq(q->scales.size(), 3);
  cr_expect_eq(q->scales[2], static_cast<float>(200 / 127.0));
  cr_expect(CheckQParamsFit(*q, x.shape()).ok());
}

Test(choose, refuses_other_types_and_axes) {
  cr_expect_eq(ChooseQParams(*Tensor::Scalar(int64_t{1}), {}).status().code(), Code::kShape);
  cr_expect_eq(ChooseQParams(Floats({1}, {1}), {.axis = 1}).status().code(),
               Code::kInvalidArgument);
  cr_expect_eq(ChooseQParams(Floats({1}, {1}), {.dtype = DType::kF16}).status().code(),
               Code::kInvalidArgument);
}

// For values far from the ends the error is uniform in a step, so its mean is scale / 4; 10^6 draws
// leave a standard error of 0.03 % and 0.5 % is allowed for the tails of the distribution.
Test(quantize, the_mean_error_of_normal_values_is_a_quarter_of_the_scale) {
  const Tensor x = Normal(1000000, 7);
  const QParams q = *ChooseQParams(x, {.dtype = DType::kS8});
  const Tensor y = *Dequantize(*Quantize(x, q));
  double sum = 0;
  for (int64_t i = 0; i < x.elements(); ++i)
    sum += std::abs(double{x.data<float>()[i]} - y.data<float>()[i]);
  const double mean = sum / static_cast<double>(x.elements());
  cr_expect_float_eq(mean / (q.scales[0] / 4.0), 1.0, 0.005, "mean error is %g of scale / 4",
                     mean / (q.scales[0] / 4.0));
}

Test(quantize, takes_a_quarter_of_the_memory) {
  const Tensor x = Normal(4096, 1);
  cr_expect_eq(Quantize(x, PerTensor(DType::kS8, 0.01f, 0))->bytes() * 4, x.bytes());
}

Test(quantize, carries_its_parameters) {
  const QParams q = PerTensor(DType::kU8, 0.5f, 10);
  const Tensor y = *Quantize(Floats({0, 1, -100, 1000}, {2, 2}), q);
  cr_expect(*y.qparams() == q);
  cr_expect(*ToInts(y) == std::vector<int64_t>({10, 12, 0, 255}));
  cr_expect(*ToFloats(*Dequantize(y)) == std::vector<float>({0, 1, -5, 122.5f}));
}

Test(quantize, uses_the_scale_of_each_index_of_the_axis) {
  const QParams q{.dtype = DType::kS8, .axis = 1, .scales = {1, 10}, .zero_points = {0, 5}};
  const Tensor y = *Quantize(Floats({3, 30, -4, -40}, {2, 2}), q);
  cr_expect(*ToInts(y) == std::vector<int64_t>({3, 8, -4, 1}));
  cr_expect(*ToFloats(*Dequantize(y)) == std::vector<float>({3, 30, -4, -40}));
}

Test(quantize, packs_four_bits) {
  const Tensor y = *Quantize(Floats({-8, 7, 3}, {3}), PerTensor(DType::kS4, 1, 0));
  cr_expect_eq(y.bytes(), 2);
  cr_expect(*ToInts(y) == std::vector<int64_t>({-8, 7, 3}));
  cr_expect(*ToFloats(*Dequantize(y)) == std::vector<float>({-8, 7, 3}));
}

Test(quantize, fake_quantization_is_quantizing_and_dequantizing) {
  const Tensor x = Normal(1000, 3);
  const QParams q = PerTensor(DType::kU8, 0.03f, 100);
  cr_expect(*ToFloats(*FakeQuantize(x, q)) == *ToFloats(*Dequantize(*Quantize(x, q))));
}

Test(quantize, nothing_becomes_nothing) {
  const Tensor x = *Tensor::Make(DType::kF32, {0, 3});
  const QParams q{.dtype = DType::kS8, .axis = 1, .scales = {1, 1, 1}, .zero_points = {0, 0, 0}};
  cr_expect_eq(Quantize(x, q)->elements(), 0);
  cr_expect(ChooseQParams(x, {}).ok());
}

Test(quantize, refuses_what_does_not_fit) {
  const QParams q = PerTensor(DType::kU8, 1, 0);
  cr_expect_eq(Quantize(*Tensor::Scalar(int64_t{1}), q).status().code(), Code::kShape);
  cr_expect_eq(FakeQuantize(*Tensor::Scalar(int64_t{1}), q).status().code(), Code::kShape);
  cr_expect_eq(Dequantize(Floats({1}, {1})).status().code(), Code::kInvalidArgument);
}
