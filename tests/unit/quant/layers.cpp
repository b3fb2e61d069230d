// Which layers are quantized, and the reasons of those that are not.
#include "quant/layers.h"

#include <cmath>

#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

LayerDecision Decide(const GraphMaker& maker, std::string_view layer,
                     const SchemeTable& schemes = {}) {
  return DecideLayers(maker.graph, schemes)[maker.Find(layer)];
}

bool IsStatic(const GraphMaker& maker, std::string_view layer) {
  return Decide(maker, layer).kind == LayerKind::kStatic;
}

SchemeTable Dynamic() {
  SchemeTable schemes;
  schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  return schemes;
}

SchemeTable Skip(std::string pattern) {
  SchemeTable schemes;
  schemes.Add(std::move(pattern), [](LayerScheme& s) { s.skip = true; });
  return schemes;
}

constexpr int64_t kChannels = 4;
const Shape kImage = {1, kChannels, 8, 8};

// Queries, keys and values of one input, and attention as exporters write it. `scores_are_read`:
// by somebody else, too.
GraphMaker Attention(bool scores_are_read = false) {
  GraphMaker g;
  const ValueId x = g.Input("x", {1, 2, 8, 8});
  const ValueId q = g.Node("MatMul", {x, g.Random("w1", {8, 8}, 1)}, "q");
  const ValueId k = g.Node("MatMul", {x, g.Random("w2", {8, 8}, 2)}, "k");
  const ValueId v = g.Node("MatMul", {x, g.Random("w3", {8, 8}, 3)}, "v");
  const ValueId scores = g.Node("MatMul", {q, k}, "scores");
  const ValueId scaled = g.Node("Div", {scores, g.Constant("root", {}, {2})}, "scaled");
  const ValueId masked = g.Node("Add", {scaled, g.Constant("mask", {1}, {0.5f})}, "masked");
  const ValueId weights = g.Node("Softmax", {masked}, "weights");
  const ValueId seen = g.Node("MatMul", {weights, v}, "seen");
  g.Output(g.Node("MatMul", {seen, g.Random("w4", {8, 8}, 4)}, "out"));
  if (scores_are_read) g.Output(scores);
  return g;
}

}  // namespace

Test(layers, first_and_last_products_are_quantized) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "first");
  g.Output(g.Conv(a, kChannels, "last"));
  cr_assert(IsStatic(g, "first"));
  cr_assert(IsStatic(g, "last"));
}

Test(layers, an_activation_behind_a_convolution_fuses) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "conv");
  g.Output(g.Node("Relu", {a}, "relu"));
  cr_assert_eq(Decide(g, "conv").fused_activation, static_cast<int32_t>(g.Find("relu")));
  cr_assert(Decide(g, "relu").is_fused_activation);
}

Test(layers, an_activation_does_not_fuse_when_others_read_its_input) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "conv");
  const ValueId b = g.Node("Sigmoid", {a}, "sigmoid");
  const ValueId c = g.Node("Mul", {a, b}, "mul");
  g.Output(g.Conv(c, kChannels, "next"));
  cr_assert_eq(Decide(g, "conv").fused_activation, LayerDecision::kNoNode);
  cr_assert(IsStatic(g, "sigmoid"));
  cr_assert(IsStatic(g, "mul"));
}

Test(layers, a_residual_add_between_convolutions_is_quantized) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId b = g.Conv(a, kChannels, "b");
  const ValueId sum = g.Node("Add", {a, b}, "sum");
  const ValueId relu = g.Node("Relu", {sum}, "relu");
  g.Output(g.Conv(relu, kChannels, "next"));
  cr_assert(IsStatic(g, "sum"));
  cr_assert(Decide(g, "relu").is_fused_activation);
}

Test(layers, an_add_of_a_float_stays_in_float) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId a = g.Conv(x, kChannels, "a");
  const ValueId root = g.Node("Sqrt", {x}, "root");
  const ValueId sum = g.Node("Add", {a, root}, "sum");
  g.Output(g.Conv(sum, kChannels, "next"));
  cr_assert(Decide(g, "sum").kind == LayerKind::kFloat);
  cr_assert(Decide(g, "sum").reason == "its input comes from a float layer");
}

Test(layers, a_stream_of_adds_that_feeds_a_float_layer_stays_in_float) {
  GraphMaker g;  // the residual stream of a transformer
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId b = g.Conv(a, kChannels, "b");
  const ValueId sum1 = g.Node("Add", {a, b}, "sum1");
  const ValueId root1 = g.Node("Sqrt", {sum1}, "root1");
  const ValueId c = g.Conv(root1, kChannels, "c");
  const ValueId sum2 = g.Node("Add", {sum1, c}, "sum2");
  g.Output(g.Node("Sqrt", {sum2}, "root2"));
  cr_assert(Decide(g, "sum2").kind == LayerKind::kFloat);
  cr_assert(Decide(g, "sum1").kind == LayerKind::kFloat);
  cr_assert(Decide(g, "sum1").reason == "its result goes to no quantized layer");
  cr_assert(IsStatic(g, "c"));
}

Test(layers, the_later_of_two_convolutions_fuses_with_their_sum) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId b = g.Conv(a, kChannels, "b");
  const ValueId c = g.Conv(a, kChannels, "c");
  const ValueId sum = g.Node("Add", {b, c}, "sum");
  g.Output(g.Conv(sum, kChannels, "next"));
  cr_assert_not(Decide(g, "b").writes_real);
  cr_assert(Decide(g, "c").writes_real);
  cr_assert_not(Decide(g, "sum").writes_real);
}

Test(layers, a_constant_added_to_a_matrix_product_is_its_bias) {
  GraphMaker g;
  const ValueId x = g.Input("x", {2, 3, 8});
  const ValueId a = g.Node("MatMul", {x, g.Random("w1", {8, 8}, 1)}, "a");
  const ValueId sum = g.Node("Add", {a, g.Random("b", {8}, 2)}, "sum");
  g.Output(g.Node("MatMul", {sum, g.Random("w2", {8, 8}, 3)}, "next"));
  cr_assert(Decide(g, "a").writes_real);
  cr_assert(Decide(g, "sum").is_bias);
  cr_assert(IsStatic(g, "sum"));
}

Test(layers, what_only_float_layers_read_is_not_made_integers) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId b = g.Conv(a, kChannels, "b");
  g.Output(g.Node("Relu", {b}, "relu"));
  cr_assert_not(Decide(g, "a").writes_real);
  cr_assert(Decide(g, "b").writes_real);
  cr_assert(Decide(g, "relu").writes_real);
  cr_assert(Decide(g, "relu").is_fused_activation);
}

Test(layers, the_difference_of_two_measured_values_stays_in_float) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId a = g.Conv(x, kChannels, "a");
  const ValueId b = g.Conv(x, kChannels, "b");
  g.Output(g.Conv(g.Node("Sub", {a, b}, "difference"), kChannels, "c"));
  cr_assert(Decide(g, "difference").reason == "8 bits are too coarse for a difference");
}

Test(layers, a_difference_with_a_constant_is_quantized) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId difference = g.Node("Sub", {a, g.Constant("c", {}, {3.0f})}, "difference");
  g.Output(g.Conv(difference, kChannels, "b"));
  cr_assert(IsStatic(g, "difference"));
}

Test(layers, a_softmax_at_the_end_stays_in_float) {
  GraphMaker g;
  const ValueId w = g.Random("w", {16, 10}, 1);
  const ValueId a = g.Node("MatMul", {g.Input("x", {1, 16}), w}, "logits");
  g.Output(g.Node("Softmax", {a}, "softmax"));
  cr_assert(IsStatic(g, "logits"));
  cr_assert(Decide(g, "softmax").kind != LayerKind::kStatic);
}

Test(layers, a_product_of_two_activations_stays_in_float) {
  GraphMaker g;
  const ValueId q = g.Node("MatMul", {g.Input("x", {4, 8}), g.Random("w1", {8, 4}, 1)}, "q");
  const ValueId k = g.Node("MatMul", {g.graph.inputs[0], g.Random("w2", {8, 4}, 2)}, "k");
  g.Output(g.Node("MatMul", {q, k}, "scores"));
  cr_assert(Decide(g, "scores").reason == "both of its inputs are computed at run time");
  cr_assert(IsStatic(g, "q"));
}

Test(layers, the_products_of_attention_are_quantized_and_what_is_between_is_not) {
  const GraphMaker g = Attention();
  for (const char* product : {"q", "k", "v", "scores", "seen", "out"})
    cr_expect(IsStatic(g, product), "%s: %s", product, Decide(g, product).reason.c_str());
  for (const char* between : {"scaled", "masked", "weights"})
    cr_expect(Decide(g, between).kind != LayerKind::kStatic, "%s", between);
  cr_expect(Decide(g, "scores").writes_real);
  cr_expect(!Decide(g, "seen").writes_real);
}

Test(layers, of_the_products_of_attention_both_are_quantized_or_neither) {
  const GraphMaker g = Attention();
  for (const char* skipped : {"scores", "seen"})
    for (const char* product : {"scores", "seen"})
      cr_expect(Decide(g, product, Skip(skipped)).kind == LayerKind::kFloat, "%s", product);
  cr_expect(!IsStatic(Attention(true), "seen"));
  cr_expect(Decide(g, "seen", Dynamic()).kind == LayerKind::kFloat);
}

Test(layers, skipped_layers_say_so) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "conv1");
  g.Output(g.Conv(a, kChannels, "conv2"));
  const LayerDecision skipped = Decide(g, "conv1", Skip("conv1"));
  cr_assert(skipped.kind == LayerKind::kFloat);
  cr_assert(skipped.reason == "left in float by the options");
  cr_assert(Decide(g, "conv2", Skip("conv1")).kind == LayerKind::kStatic);
}

Test(layers, a_skipped_activation_does_not_fuse) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "conv");
  g.Output(g.Node("Relu", {a}, "relu"));
  cr_assert_eq(Decide(g, "conv", Skip("relu")).fused_activation, LayerDecision::kNoNode);
}

Test(layers, weights_computed_at_run_time_keep_a_convolution_in_float) {
  GraphMaker g;
  const ValueId w = g.Input("w", {kChannels, kChannels, 1, 1});
  g.Output(g.Node("Conv", {g.Input("x", kImage), w}, "conv"));
  cr_assert(Decide(g, "conv").reason == "both of its inputs are computed at run time");
}

Test(layers, weights_that_are_not_finite_keep_a_layer_in_float) {
  GraphMaker g;
  const ValueId w = g.Constant("w", {1, 2, 1, 1}, {1.0f, NAN});
  g.Output(g.Node("Conv", {g.Input("x", {1, 2, 4, 4}), w}, "conv"));
  cr_assert(Decide(g, "conv").reason == "its weights hold NaN or infinity");
}

Test(layers, sums_that_may_overflow_keep_a_layer_in_float) {
  GraphMaker g;
  const ValueId w = g.Random("w", {66312, 1}, 1);
  g.Output(g.Node("MatMul", {g.Input("x", {1, 66312}), w}, "wide"));
  cr_assert(Decide(g, "wide").reason == "a sum of 66312 products may overflow 32 bits");
}

Test(layers, a_layer_whose_input_was_never_seen_stays_in_float) {
  GraphMaker g;
  g.Output(g.Conv(g.Input("x", kImage), kChannels, "conv"));
  const ValueStatistics nothing;
  const auto layers = DecideLayers(g.graph, {}, [&](std::string_view) { return &nothing; });
  cr_assert(layers[0].reason == "its values were not seen while calibrating");
}

Test(layers, dynamic_covers_matmul_and_not_conv) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", {1, kChannels, 2, 2}), kChannels, "conv");
  g.Output(g.Node("MatMul", {a, g.Random("w", {2, 3}, 1)}, "matmul"));
  cr_assert(Decide(g, "matmul", Dynamic()).kind == LayerKind::kDynamicRanges);
  cr_assert(Decide(g, "conv", Dynamic()).reason ==
            "dynamic quantization covers MatMul and Gemm only");
}

Test(layers, integer_arithmetic_on_shapes_is_not_a_layer) {
  GraphMaker g;
  const ValueId shape = g.Node("Shape", {g.Input("x", kImage)}, "shape");
  g.Output(g.Node("Add", {shape, g.Ints("one", {1})}, "sum"));
  cr_assert(Decide(g, "sum").kind == LayerKind::kNone);
}

Test(layers, what_moves_data_between_float_layers_is_not_a_layer) {
  GraphMaker g;
  const ValueId root = g.Node("Sqrt", {g.Input("x", kImage)}, "root");
  g.Output(g.Node("Reshape", {root, g.Ints("to", {1, -1})}, "reshape"));
  cr_assert(Decide(g, "reshape").kind == LayerKind::kNone);
}

Test(layers, observable_values_hold_what_fusion_would_hide) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId a = g.Conv(x, kChannels, "conv");
  const ValueId b = g.Node("Relu", {a}, "relu");
  g.Output(b);
  const std::vector<ValueId> expected = {x, a, b};
  cr_assert(ObservableValues(g.graph) == expected);
}
