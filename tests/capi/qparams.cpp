// Tests of quantization parameters, and of quantizing and comparing one tensor.
#include <cmath>
#include <cstddef>

#include "capi/support.h"

namespace {

QParams MakeQParams(float scale, int32_t zero_point, intmill_dtype dtype = INTMILL_S8) {
  QParams q;
  MUST(intmill_qparams_create(dtype, -1, 1, &scale, &zero_point, &q));
  return q;
}

}  // namespace

Test(qparams, say_what_they_were_made_of) {
  const float scales[] = {0.5f, 2};
  const int32_t zero_points[] = {-3, 4};
  QParams q;
  MUST(intmill_qparams_create(INTMILL_S8, 1, 2, scales, zero_points, &q));
  cr_expect_eq(intmill_qparams_dtype(q), INTMILL_S8);
  cr_expect_eq(intmill_qparams_axis(q), 1);
  cr_expect_eq(intmill_qparams_count(q), 2);
  cr_expect_eq(intmill_qparams_scales(q)[1], 2);
  cr_expect_eq(intmill_qparams_zero_points(q)[0], -3);
}

Test(qparams, zero_points_default_to_zero) {
  const float scale = 1;
  QParams q;
  MUST(intmill_qparams_create(INTMILL_U8, -1, 1, &scale, nullptr, &q));
  cr_expect_eq(intmill_qparams_zero_points(q)[0], 0);
}

Test(qparams, sixteen_bits_quantize_a_tensor) {
  const Tensor x = MakeFloats({-1000, 0.5f, 1.5f, 32767, 1e6f});
  const QParams q = MakeQParams(1, 0, INTMILL_S16);
  Tensor quantized;
  MUST(intmill_tensor_quantize(x, q, &quantized));
  cr_assert_eq(intmill_tensor_bytes(quantized), 10);
  const auto* values = static_cast<const int16_t*>(intmill_tensor_data(quantized));
  const int16_t wanted[] = {-1000, 0, 2, 32767, 32767};
  for (int i = 0; i < 5; ++i) cr_expect_eq(values[i], wanted[i]);
  Tensor back;
  MUST(intmill_tensor_dequantize(quantized, &back));
  const auto* floats = static_cast<const float*>(intmill_tensor_data(back));
  for (int i = 0; i < 5; ++i) cr_expect_eq(floats[i], wanted[i]);

  const Options opts = MakeOptions("{\"activation_dtype\": \"s16\", \"calibration\": \"mse\"}");
  QParams chosen;
  MUST(intmill_qparams_choose(x, -1, opts, &chosen));
  cr_expect_eq(intmill_qparams_dtype(chosen), INTMILL_S16);
  cr_expect_eq(intmill_qparams_scales(chosen)[0], 1e6f / 32767);
  cr_expect_eq(intmill_qparams_zero_points(chosen)[0], 0);
}

Test(qparams, what_they_cannot_be_is_refused) {
  const float good[] = {1, 1};
  const float bad = 0;
  const int32_t beyond = 128;
  QParams q;
  REFUSED(intmill_qparams_create(INTMILL_F32, -1, 1, good, nullptr, &q), kInvalid, "INTMILL_S8");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 2, good, nullptr, &q), kInvalid, "wanted 1");
  REFUSED(intmill_qparams_create(INTMILL_S8, -2, 1, good, nullptr, &q), kInvalid, "axis -2");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 0, good, nullptr, &q), kInvalid, "0 scales");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 1, &bad, nullptr, &q), kInvalid, "scale 0");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 1, good, &beyond, &q), kInvalid, "zero point 128");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 1, nullptr, nullptr, &q), kInvalid,
          "scales is NULL");
  REFUSED(intmill_qparams_create(INTMILL_S8, -1, 1, good, nullptr, nullptr), kInvalid,
          "out is NULL");
}

Test(qparams, getters_answer_nothing_for_null) {
  cr_expect_eq(static_cast<int>(intmill_qparams_dtype(nullptr)), 0);
  cr_expect_eq(intmill_qparams_axis(nullptr), 0);
  cr_expect_eq(intmill_qparams_count(nullptr), 0);
  cr_expect_null(intmill_qparams_scales(nullptr));
  cr_expect_null(intmill_qparams_zero_points(nullptr));
  intmill_qparams_release(nullptr);
}

Test(choose, minmax_covers_all_that_was_there) {
  const Tensor x = MakeFloats({-1, 0, 1, 3});
  const Options opts = MakeOptions("{\"calibration\": \"minmax\"}");
  QParams q;
  MUST(intmill_qparams_choose(x, -1, opts, &q));
  cr_expect_eq(intmill_qparams_dtype(q), INTMILL_U8);
  cr_expect_float_eq(intmill_qparams_scales(q)[0], 4.0f / 255, 1e-9);  // rounding of a division
  cr_expect_eq(intmill_qparams_zero_points(q)[0], 64);
}

Test(choose, the_percentile_clips_an_outlier) {
  std::vector<float> values(10000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 100) / 100;
  values[7] = 1000;
  const Tensor x = MakeFloats(values);
  const Options opts = MakeOptions("{\"calibration\": \"percentile\", \"percentile\": 99}");
  QParams q;
  MUST(intmill_qparams_choose(x, -1, opts, &q));
  cr_expect_lt(intmill_qparams_scales(q)[0], 2.0f / 255);
}

Test(choose, along_an_axis_is_as_for_a_weight) {
  Tensor x = MakeTensor(INTMILL_F32, {2, 2});
  auto* data = static_cast<float*>(intmill_tensor_data(x));
  data[0] = 1.27f;
  data[3] = -12.7f;
  QParams q;
  MUST(intmill_qparams_choose(x, 0, nullptr, &q));
  cr_expect_eq(intmill_qparams_dtype(q), INTMILL_S8);
  cr_expect_eq(intmill_qparams_count(q), 2);
  cr_expect_float_eq(intmill_qparams_scales(q)[1], 0.1f, 1e-8);  // rounding of a division
  cr_expect_eq(intmill_qparams_zero_points(q)[1], 0);
}

Test(choose, refuses_other_types_axes_and_null) {
  const Tensor floats = MakeFloats({1});
  const Tensor integers = MakeTensor(INTMILL_S32, {1});
  QParams q;
  REFUSED(intmill_qparams_choose(integers, -1, nullptr, &q), kShape, "wanted f32");
  REFUSED(intmill_qparams_choose(integers, 0, nullptr, &q), kShape, "wanted f32");
  REFUSED(intmill_qparams_choose(floats, 1, nullptr, &q), kInvalid, "axis 1");
  REFUSED(intmill_qparams_choose(nullptr, -1, nullptr, &q), kInvalid, "x is NULL");
  REFUSED(intmill_qparams_choose(floats, -1, nullptr, nullptr), kInvalid, "out is NULL");
}

Test(quantize, there_and_back) {
  const Tensor x = MakeFloats({0.26f, -1, 100, -100, NAN});
  const QParams q = MakeQParams(0.5f, 3);
  Tensor y;
  Tensor z;
  MUST(intmill_tensor_quantize(x, q, &y));
  const auto* bytes = static_cast<const int8_t*>(intmill_tensor_data(y));
  cr_expect_eq(bytes[0], 4);
  cr_expect_eq(bytes[1], 1);
  cr_expect_eq(bytes[2], 127);
  cr_expect_eq(bytes[3], -128);
  cr_expect_eq(bytes[4], 3);
  MUST(intmill_tensor_dequantize(y, &z));
  cr_expect(Floats(z) == std::vector<float>({0.5f, -1, 62, -65.5f, 0}));
  Tensor fake;
  MUST(intmill_tensor_fake_quantize(x, q, &fake));
  cr_expect(Floats(fake) == Floats(z));
}

Test(quantize, the_result_carries_its_parameters) {
  const Tensor x = MakeFloats({1});
  const QParams q = MakeQParams(0.5f, 3);
  Tensor y;
  MUST(intmill_tensor_quantize(x, q, &y));
  const intmill_qparams* carried = intmill_tensor_qparams(y);
  cr_assert_not_null(carried);
  cr_expect_eq(intmill_qparams_scales(carried)[0], 0.5f);
  cr_expect_eq(intmill_qparams_zero_points(carried)[0], 3);
  // Releasing what belongs to the tensor must do nothing.
  intmill_qparams_release(const_cast<intmill_qparams*>(carried));
  cr_expect_eq(intmill_qparams_count(intmill_tensor_qparams(y)), 1);
}

Test(quantize, refuses_what_does_not_fit) {
  const Tensor x = MakeFloats({1, 2, 3});
  const Tensor integers = MakeTensor(INTMILL_S32, {3});
  const QParams q = MakeQParams(1, 0);
  const float scales[] = {1, 1};
  QParams two;
  MUST(intmill_qparams_create(INTMILL_S8, 0, 2, scales, nullptr, &two));
  Tensor y;
  REFUSED(intmill_tensor_quantize(integers, q, &y), kShape, "wanted f32");
  REFUSED(intmill_tensor_fake_quantize(integers, q, &y), kShape, "wanted f32");
  REFUSED(intmill_tensor_quantize(x, two, &y), kShape, "found 2 scales along axis 0 of 3");
  REFUSED(intmill_tensor_dequantize(x, &y), kInvalid, "no quantization parameters");
}

Test(quantize, null_arguments_are_refused) {
  const Tensor x = MakeFloats({1});
  const QParams q = MakeQParams(1, 0);
  Tensor y;
  REFUSED(intmill_tensor_quantize(nullptr, q, &y), kInvalid, "x is NULL");
  REFUSED(intmill_tensor_quantize(x, nullptr, &y), kInvalid, "q is NULL");
  REFUSED(intmill_tensor_quantize(x, q, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_tensor_fake_quantize(nullptr, q, &y), kInvalid, "x is NULL");
  REFUSED(intmill_tensor_fake_quantize(x, nullptr, &y), kInvalid, "q is NULL");
  REFUSED(intmill_tensor_fake_quantize(x, q, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_tensor_dequantize(nullptr, &y), kInvalid, "x is NULL");
  REFUSED(intmill_tensor_dequantize(x, nullptr), kInvalid, "out is NULL");
}

Test(compare, measures_and_counts_bytes) {
  const Tensor a = MakeFloats({3, 4});
  const Tensor b = MakeFloats({3, 2});
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(a, b, &d));
  cr_expect_eq(d.max_abs, 2);
  cr_expect_eq(d.mse, 2);
  cr_expect_eq(d.bytes_a, 8);
  cr_expect_eq(d.struct_size, sizeof d);
}

Test(compare, quantized_tensors_count_their_parameters) {
  const Tensor a = MakeFloats({3, 4, 5, 6});
  const QParams q = MakeQParams(1, 0);
  Tensor b;
  MUST(intmill_tensor_quantize(a, q, &b));
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(a, b, &d));
  cr_expect_eq(d.max_abs, 0);
  cr_expect(std::isinf(d.sqnr_db));
  cr_expect_eq(d.bytes_a, 16);
  cr_expect_eq(d.bytes_b, 4 + 8);
}

Test(compare, on_failure_the_struct_is_left_alone) {
  const Tensor a = MakeFloats({1});
  const Tensor b = MakeFloats({1, 2});
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  d.max_abs = 77;
  REFUSED(intmill_tensor_compare(a, b, &d), kShape, "found shapes 1 and 2");
  REFUSED(intmill_tensor_compare(nullptr, b, &d), kInvalid, "a is NULL");
  REFUSED(intmill_tensor_compare(a, nullptr, &d), kInvalid, "b is NULL");
  REFUSED(intmill_tensor_compare(a, a, nullptr), kInvalid, "difference is NULL");
  cr_expect_eq(d.max_abs, 77);
}

Test(compare, a_struct_without_its_size_is_refused) {
  const Tensor a = MakeFloats({1});
  intmill_difference d = {};
  REFUSED(intmill_tensor_compare(a, a, &d), kInvalid, "struct_size is 0, wanted at least 64");
}

Test(compare, a_newer_struct_keeps_what_the_library_does_not_know) {
  struct Newer {
    intmill_difference known;
    double appended;
  } newer = {INTMILL_DIFFERENCE_INIT, 5};
  newer.known.struct_size = sizeof newer;
  const Tensor a = MakeFloats({1});
  MUST(intmill_tensor_compare(a, a, &newer.known));
  cr_expect_eq(newer.appended, 5);
  cr_expect_eq(newer.known.bytes_a, 4);
}
