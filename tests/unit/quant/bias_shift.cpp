// Bias correction: means of channels, and the shift that rounded weights cause.
#include "quant/bias_shift.h"

#include <cmath>

#include "quant/statistics.h"
#include "quant/weights.h"
#include "tensor/quantize.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

Tensor Of(Shape shape, const std::vector<float>& values) {
  Tensor tensor = *Tensor::Make(DType::kF32, std::move(shape));
  std::copy(values.begin(), values.end(), tensor.mutable_data<float>());
  return tensor;
}

// Integers of scale 1 beside weights that are not whole: each difference is known.
Tensor Rounded(const Tensor& weight) {
  QParams q;
  q.dtype = DType::kS8;
  q.scales = {1.0f};
  q.zero_points = {0};
  return *Quantize(weight, q);
}

}  // namespace

Test(channel_means, are_the_means_over_samples_and_places) {
  ValueStatistics statistics;
  // Two samples of two channels with two places each.
  statistics.AddChannels(std::vector<float>{1, 3, 10, 10, 5, 7, 20, 40}, 2, 2, 2);
  const std::vector<double> expected = {4.0, 20.0};
  cr_assert(statistics.channel_means() == expected);
}

Test(channel_means, do_not_depend_on_the_layout) {
  ValueStatistics plain;
  plain.AddChannels(std::vector<float>{1, 2, 3, 10, 20, 30}, 1, 2, 3);
  ValueStatistics channels_last;
  channels_last.AddChannels(std::vector<float>{1, 10, 2, 20, 3, 30}, 1, 2, 1);
  cr_assert(plain.channel_means() == channels_last.channel_means());
}

Test(channel_means, do_not_depend_on_order_and_portions) {
  const std::vector<float> values = Normal(6 * 40, 1);
  ValueStatistics at_once;
  at_once.AddChannels(values, 6, 4, 10);
  ValueStatistics merged;
  for (const size_t i : {4, 0, 5, 2, 1, 3}) {
    ValueStatistics part;
    part.AddChannels(std::span<const float>(values).subspan(40 * i, 40), 1, 4, 10);
    merged.Merge(part);
  }
  cr_assert(at_once == merged);
}

Test(channel_means, of_changing_channels_are_not_given) {
  ValueStatistics statistics;
  statistics.AddChannels(std::vector<float>{1, 2}, 1, 2, 1);
  statistics.AddChannels(std::vector<float>{1, 2, 3}, 1, 3, 1);
  cr_assert(statistics.channel_means().empty());
}

Test(channel_means, of_nan_are_not_given) {
  ValueStatistics statistics;
  statistics.AddChannels(std::vector<float>{1, NAN}, 1, 2, 1);
  cr_assert(statistics.channel_means().empty());
}

Test(bias_shift, of_a_convolution_adds_up_its_window) {
  // One output, two input channels, window of two: differences (0.25, 0.25) and (-0.5, 0).
  const Tensor weight = Of({1, 2, 1, 2}, {0.75f, 1.75f, 2.5f, 3.0f});
  const auto shift = MeanShift(weight, Rounded(weight), 0, {2, 1, true}, std::vector<double>{2, 4});
  cr_assert(shift.ok());
  cr_assert_eq((*shift)[0], 2 * 0.5 + 4 * -0.5);
}

Test(bias_shift, of_a_depthwise_convolution_keeps_channels_apart) {
  const Tensor weight = Of({2, 1, 1, 1}, {0.75f, 1.25f});
  const auto shift = MeanShift(weight, Rounded(weight), 0, {2, 2, true}, std::vector<double>{8, 4});
  cr_assert_eq((*shift)[0], 2.0);
  cr_assert_eq((*shift)[1], -1.0);
}

Test(bias_shift, of_a_matrix_follows_its_axis) {
  const Tensor weight = Of({2, 2}, {0.75f, 1.0f, 2.0f, 2.75f});  // (K, N)
  const auto shift =
      MeanShift(weight, Rounded(weight), 1, {2, 1, false}, std::vector<double>{8, 4});
  cr_assert_eq((*shift)[0], 2.0);
  cr_assert_eq((*shift)[1], 1.0);
}

Test(bias_shift, is_taken_back_by_the_bias) {
  LayerScheme scheme;
  const Tensor weight = Of({1, 2, 1, 1}, {127.0f, 0.4f});  // 0.4 rounds to 0
  const Tensor bias = Of({1}, {10.0f});
  BiasContext context;
  context.bias = &bias;
  context.input_scale = 0.5f;
  context.channels = {2, 1, true};
  context.means = {1, 5};
  const Result<QuantizedWeight> w = QuantizeWeight(weight, 0, scheme, &context);
  cr_assert(w.ok());
  cr_assert_eq(w->bias.data<int32_t>()[0], 24);  // (10 + 0.4 * 5) / 0.5
}

Test(bias_shift, makes_a_bias_where_there_was_none) {
  const Tensor weight = Of({1, 2, 1, 1}, {127.0f, 0.4f});
  BiasContext context;
  context.channels = {2, 1, true};
  context.means = {1, 5};
  const Result<QuantizedWeight> w = QuantizeWeight(weight, 0, LayerScheme(), &context);
  cr_assert(w.ok() && w->bias.valid());
  cr_assert_eq(w->bias.data<int32_t>()[0], 2);
}

Test(bias_shift, needs_the_means) {
  const Tensor weight = Of({1, 2, 1, 1}, {127.0f, 0.4f});
  const Result<QuantizedWeight> w = QuantizeWeight(weight, 0, LayerScheme(), nullptr);
  cr_assert(w.ok());
  cr_assert_not(w->bias.valid());
}

Test(bias_shift, channels_of_a_convolution_lie_on_axis_1) {
  GraphMaker g;
  const ValueId w = g.Random("w", {6, 2, 1, 1}, 1);
  const ValueId x = g.Input("x", {1, 4, 3, 3});
  Node node;
  node.op = GraphMaker::Op("Conv");
  node.inputs = {x, w};
  node.attrs.Set("group", int64_t{2});
  const InputChannels channels = InputChannelsOf(node, *g.graph.ConstantOf(w));
  cr_assert_eq(channels.count, 4);
  cr_assert_eq(channels.groups, 2);
  cr_assert(channels.is_spatial);
}
