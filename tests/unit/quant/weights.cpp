// Quantized weights and biases: scales, the narrow range, and the guard against overflowing biases.
#include "quant/weights.h"

#include <cmath>
#include <criterion/criterion.h>
#include <limits>

#include "tensor/quantize.h"
#include "unit/quant/data.h"

using namespace intmill;

namespace {

Tensor Of(Shape shape, const std::vector<float>& values) {
  Tensor tensor = *Tensor::Make(DType::kF32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.mutable_data<float>());
  return tensor;
}

QuantizedWeight Make(const Tensor& weight, int64_t axis, const LayerScheme& scheme = {},
                     const Tensor* bias = nullptr, float input_scale = 1.0f) {
  BiasContext context;
  context.bias = bias;
  context.input_scale = input_scale;
  Result<QuantizedWeight> made = QuantizeWeight(weight, axis, scheme, &context);
  cr_assert(made.ok(), "%s", made.status().message().c_str());
  return *std::move(made);
}

}  // namespace

Test(weights, each_output_channel_has_its_own_scale) {
  const QuantizedWeight w = Make(Of({2, 2}, {127.0f, -1.0f, 0.5f, -2.54f}), 0);
  const QParams& q = *w.values.qparams();
  cr_assert_eq(q.axis, 0);
  cr_assert_eq(q.scales[0], 1.0f);
  cr_assert_float_eq(q.scales[1], 0.02f, 1e-7f);
  cr_assert_eq(q.zero_points[0], 0);
}

Test(weights, symmetric_s8_never_uses_minus_128) {
  const QuantizedWeight w = Make(Of({1, 3}, {-1.0f, 0.2f, 1.0f}), 0);
  cr_assert_eq(w.values.data<int8_t>()[0], -127);
  cr_assert_eq(w.values.data<int8_t>()[2], 127);
}

Test(weights, output_channels_may_be_the_last_axis) {
  const QuantizedWeight w = Make(Of({2, 2}, {1.0f, 10.0f, -2.0f, 5.0f}), 1);
  cr_assert_eq(w.values.qparams()->scales[0], 2.0f / 127);
  cr_assert_eq(w.values.qparams()->scales[1], 10.0f / 127);
}

Test(weights, per_tensor_has_one_scale) {
  LayerScheme scheme;
  scheme.per_channel = false;
  const QuantizedWeight w = Make(Of({2, 1}, {1.0f, 4.0f}), 0, scheme);
  cr_assert_eq(w.values.qparams()->axis, -1);
  cr_assert_eq(w.values.qparams()->scales.size(), 1);
}

Test(weights, asymmetric_weights_use_the_whole_range) {
  LayerScheme scheme;
  scheme.weight_symmetric = false;
  const QuantizedWeight w = Make(Of({1, 2}, {0.0f, 2.55f}), 0, scheme);
  cr_assert_eq(w.values.data<int8_t>()[0], -128);
  cr_assert_eq(w.values.data<int8_t>()[1], 127);
}

Test(weights, bias_has_the_scale_of_the_accumulator) {
  const Tensor bias = Of({2}, {0.75f, -3.0f});
  const QuantizedWeight w = Make(Of({2, 1}, {127.0f, 63.5f}), 0, {}, &bias, 0.25f);
  cr_assert_eq(w.bias.dtype(), DType::kS32);
  cr_assert_eq(w.bias_scales[0], 0.25f);
  cr_assert_eq(w.bias_scales[1], 0.125f);
  cr_assert_eq(w.bias.data<int32_t>()[0], 3);
  cr_assert_eq(w.bias.data<int32_t>()[1], -24);
}

Test(weights, a_scale_widens_until_its_bias_fits) {
  // A dead batch-norm channel: weights of 1e-12 beside a bias of 1.
  const Tensor bias = Of({2}, {1.0f, 1.0f});
  const QuantizedWeight w = Make(Of({2, 1}, {1e-12f, 1.0f}), 0, {}, &bias, 0.01f);
  const double b = static_cast<double>(w.bias.data<int32_t>()[0]);
  cr_assert_lt(b, 2147483647.0);
  cr_assert_float_eq(b * static_cast<double>(w.bias_scales[0]), 1.0, 1e-6);
  cr_assert_eq(w.values.qparams()->scales[1], 1.0f / 127, "the other channel is left alone");
}

Test(weights, the_guard_leaves_room_for_the_sum) {
  const int64_t k = 60000;  // 60000 * 255 * 128 is 91 % of 2^31
  Tensor weight = *Tensor::Make(DType::kF32, {1, k});
  weight.mutable_data<float>()[0] = 1e-9f;
  const Tensor bias = Of({1}, {1.0f});
  const QuantizedWeight w = Make(weight, 0, {}, &bias, 1.0f);
  cr_assert_leq(w.bias.data<int32_t>()[0], 1 << 30);
}

Test(weights, a_channel_of_zeros_keeps_its_bias) {
  const Tensor bias = Of({1}, {0.3f});
  const QuantizedWeight w = Make(Of({1, 4}, {0, 0, 0, 0}), 0, {}, &bias, 0.02f);
  const double b = static_cast<double>(w.bias.data<int32_t>()[0]);
  cr_assert_float_eq(b * static_cast<double>(w.bias_scales[0]), 0.3, 1e-6);
  cr_assert_eq(w.values.data<int8_t>()[0], 0);
}

Test(weights, scales_stay_normal_floats) {
  const Tensor bias = Of({1}, {0.0f});
  const QuantizedWeight w = Make(Of({1, 1}, {1e-36f}), 0, {}, &bias, 1e-10f);
  cr_assert_geq(w.bias_scales[0], std::numeric_limits<float>::min());
}

Test(weights, one_bias_value_serves_all_channels) {
  const Tensor bias = Of({1}, {2.0f});
  const QuantizedWeight w = Make(Of({2, 1}, {127.0f, 63.5f}), 0, {}, &bias, 1.0f);
  cr_assert_eq(w.bias.elements(), 2);
  cr_assert_eq(w.bias.data<int32_t>()[0], 2);
  cr_assert_eq(w.bias.data<int32_t>()[1], 4);
}

Test(weights, groups_that_share_weight_channels_share_scales) {
  // ConvTranspose with 2 groups: weight (C, M / group, k), bias M = 4.
  const Tensor bias = Of({4}, {1.0f, 1.0f, 2.0f, 2.0f});
  const QuantizedWeight w = Make(Of({2, 2, 1}, {127.0f, 254.0f, 1.0f, 1.0f}), 1, {}, &bias, 1.0f);
  cr_assert_eq(w.bias_scales[0], 1.0f);
  cr_assert_eq(w.bias_scales[1], 2.0f);
  cr_assert_eq(w.bias.data<int32_t>()[2], 2);
  cr_assert_eq(w.bias.data<int32_t>()[3], 1);
}

Test(weights, a_bias_of_another_length_is_refused) {
  const Tensor bias = Of({3}, {1, 2, 3});
  BiasContext context;
  context.bias = &bias;
  const Result<QuantizedWeight> made =
      QuantizeWeight(Of({2, 1}, {1, 2}), 0, LayerScheme(), &context);
  cr_assert_eq(made.status().code(), Code::kShape);
}

Test(weights, the_error_of_a_weight_is_half_a_step) {
  const std::vector<float> values = Normal(512, 3);
  const QuantizedWeight w = Make(Of({8, 64}, values), 0);
  const Tensor back = *Dequantize(w.values);
  for (size_t i = 0; i < values.size(); ++i)
    cr_assert_leq(std::fabs(back.data<float>()[i] - values[i]),
                  0.501f * w.values.qparams()->scales[i / 64]);
}
