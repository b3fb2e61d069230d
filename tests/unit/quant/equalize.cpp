// Cross-layer equalization and SmoothQuant: the same function, with numbers that 8 bits suit
// better.
#include "quant/equalize.h"

#include "quant/channel_links.h"
#include "quant/smooth.h"
#include "unit/quant/runs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr int64_t kChannels = 8;
const Shape kImage = {4, kChannels, 6, 6};

// Channels between layers that are up to 2^7 times larger than others, as batch normalizations
// leave them behind.
float Size(int64_t channel) { return std::ldexp(1.0f, static_cast<int>(channel % 8)); }

// A 1 x 1 convolution that writes channels of such sizes, or reads them, or both.
ValueId Unbalanced(GraphMaker& g, ValueId x, const std::string& name, bool writes, bool reads) {
  std::vector<float> w = Normal(kChannels * kChannels, static_cast<unsigned>(g.graph.nodes.size()));
  std::vector<float> b = Normal(kChannels, 50 + static_cast<unsigned>(g.graph.nodes.size()));
  for (int64_t o = 0; o < kChannels; ++o) {
    if (writes) b[static_cast<size_t>(o)] *= Size(o);
    for (int64_t c = 0; c < kChannels; ++c) {
      float& value = w[static_cast<size_t>(o * kChannels + c)];
      if (writes) value *= Size(o);
      if (reads) value /= Size(c);
    }
  }
  return g.Node("Conv",
                {x, g.Constant(name + "_w", {kChannels, kChannels, 1, 1}, w),
                 g.Constant(name + "_b", {kChannels}, b)},
                name);
}

ValueId Depthwise(GraphMaker& g, ValueId x, const std::string& name) {
  const ValueId w = g.Random(name + "_w", {kChannels, 1, 3, 3}, 91);
  const ValueId out = g.graph.AddValue(name);
  Node& node = g.graph.AddNode(name, GraphMaker::Op("Conv"), {x, w}, {out});
  node.attrs.Set("group", kChannels);
  node.attrs.Set("pads", std::vector<int64_t>{1, 1, 1, 1});
  cr_assert(InferNode(g.graph, node).ok());
  return out;
}

ValueId Relu6(GraphMaker& g, ValueId x, const std::string& name) {
  return g.Node("Clip",
                {x, g.Constant(name + "_low", {}, {0}), g.Constant(name + "_high", {}, {6})}, name);
}

Equalized MustEqualize(const Graph& graph, bool with_clips = true) {
  return Must(Equalize(graph, with_clips, {}));
}

const Tensor& WeightOf(const Graph& graph, std::string_view layer) {
  const auto node = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                 [&](const Node& n) { return n.name == layer; });
  cr_assert(node != graph.nodes.end());
  return *graph.ConstantOf(node->inputs[1]);
}

float LargestOf(const Tensor& weight, int64_t channel, bool reads) {
  float largest = 0;
  for (int64_t i = 0; i < kChannels; ++i)
    largest = std::max(
        largest,
        std::fabs(weight.data<float>()[reads ? i * kChannels + channel : channel * kChannels + i]));
  return largest;
}

bool Has(const Graph& graph, std::string_view op) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const Node& node) { return node.op->name == op; });
}

}  // namespace

Test(equalize, repairs_weights_with_one_scale_for_all) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  g.Output(Unbalanced(g, g.Node("Relu", {a}, "relu"), "y", false, true));
  const Tensor x = NormalTensor(kImage, 7);
  const Equalized equalized = MustEqualize(g.graph);
  cr_expect_eq(equalized.channels, kChannels);
  ExpectSameFunction(g.graph, equalized.graph, x);

  const std::vector<float> wanted = RunGraph(g.graph, x);
  const double plain = SqnrDb(wanted, RunGraph(QuantizeOn(g.graph, x, PerTensor()), x));
  const double repaired = SqnrDb(wanted, RunGraph(QuantizeOn(equalized.graph, x, PerTensor()), x));
  cr_expect_gt(repaired, plain + 10, "found %g dB, plain %g dB", repaired, plain);
}

Test(equalize, weights_on_both_sides_of_a_channel_become_equally_large) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  g.Output(Unbalanced(g, g.Node("Relu", {a}, "relu"), "y", false, false));
  const Equalized equalized = MustEqualize(g.graph);
  for (int64_t c = 0; c < kChannels; ++c)
    cr_expect_float_eq(LargestOf(WeightOf(equalized.graph, "a"), c, false),
                       LargestOf(WeightOf(equalized.graph, "y"), c, true), 1e-4f);
}

Test(equalize, goes_through_depthwise_convolutions) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  const ValueId d = Depthwise(g, g.Node("Relu", {a}, "relu_a"), "d");
  g.Output(Unbalanced(g, g.Node("Relu", {d}, "relu_d"), "y", false, true));
  const Equalized equalized = MustEqualize(g.graph);
  cr_expect_eq(equalized.channels, 2 * kChannels);
  ExpectSameFunction(g.graph, equalized.graph, NormalTensor(kImage, 7));
}

Test(equalize, a_relu6_gets_a_bound_for_each_channel) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  g.Output(Unbalanced(g, Relu6(g, a, "relu6"), "y", false, true));
  const Equalized equalized = MustEqualize(g.graph);
  cr_expect_eq(equalized.clips, 1);
  cr_expect(Has(equalized.graph, "Min"));
  // Most channels reach 6: with ReLU in its place this would be another function.
  ExpectSameFunction(g.graph, equalized.graph, NormalTensor(kImage, 7, 3.0f));
}

Test(equalize, leaves_a_relu6_alone_when_told) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  g.Output(Unbalanced(g, Relu6(g, a, "relu6"), "y", false, true));
  const Equalized equalized = MustEqualize(g.graph, false);
  cr_expect_eq(equalized.channels, 0);
  cr_expect(!Has(equalized.graph, "Min"));
}

Test(equalize, scales_all_summands_of_a_residual_alike) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  const ValueId b = Unbalanced(g, g.Node("Relu", {a}, "relu"), "b", true, true);
  const ValueId sum = g.Node("Add", {a, b}, "sum");
  g.Output(Unbalanced(g, sum, "y", false, true));
  const Equalized equalized = MustEqualize(g.graph);
  cr_expect_eq(equalized.channels, kChannels);
  ExpectSameFunction(g.graph, equalized.graph, NormalTensor(kImage, 7));
}

Test(equalize, knows_concatenated_channels_by_their_new_places) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId a = Unbalanced(g, x, "a", true, false);
  const ValueId b = Unbalanced(g, x, "b", true, false);
  const ValueId both = g.graph.AddValue("both");
  g.graph.AddNode("both", GraphMaker::Op("Concat"), {a, b}, {both}).attrs.Set("axis", int64_t{1});
  cr_assert(InferNode(g.graph, g.graph.nodes.back()).ok());
  const ValueId relu = g.Node("Relu", {both}, "relu");
  g.Output(g.Node("Conv", {relu, g.Random("w", {3, 2 * kChannels, 1, 1}, 5)}, "y"));
  const Equalized equalized = MustEqualize(g.graph);
  cr_expect_eq(equalized.channels, 2 * kChannels);
  ExpectSameFunction(g.graph, equalized.graph, NormalTensor(kImage, 7));
}

Test(equalize, does_not_touch_what_leaves_the_model_or_meets_other_functions) {
  GraphMaker g;
  const ValueId a = Unbalanced(g, g.Input("x", kImage), "a", true, false);
  const ValueId s = g.Node("Sigmoid", {a}, "sigmoid");
  const ValueId b = Unbalanced(g, s, "b", true, false);
  g.Output(b);
  g.Output(Unbalanced(g, b, "y", false, true));
  cr_expect_eq(MustEqualize(g.graph).channels, 0);
}

Test(equalize, leaves_shared_weights_alone) {
  GraphMaker g;
  const ValueId w = g.Random("w", {kChannels, kChannels, 1, 1}, 3);
  const ValueId a = g.Node("Conv", {g.Input("x", kImage), w}, "a");
  g.Output(g.Node("Conv", {g.Node("Relu", {a}, "relu"), w}, "y"));
  cr_expect_eq(MustEqualize(g.graph).channels, 0);
}

namespace {

constexpr int64_t kWidth = 32;
const Shape kTokens = {1, 24, kWidth};

// Two products that read a layer normalization, one of whose channels is `outlier` times larger.
GraphMaker Block(float outlier) {
  GraphMaker g;
  std::vector<float> scale(kWidth, 1.0f);
  scale[5] = outlier;
  const ValueId norm = g.Node(
      "LayerNormalization",
      {g.Input("x", kTokens), g.Constant("scale", {kWidth}, scale), g.Random("shift", {kWidth}, 4)},
      "norm");
  const ValueId q = g.Node("MatMul", {norm, g.Random("wq", {kWidth, 16}, 1)}, "q");
  const ValueId k = g.Node("MatMul", {norm, g.Random("wk", {kWidth, 16}, 2)}, "k");
  g.Output(g.Node("Add", {q, k}, "y"));
  return g;
}

Smoothed SmoothOn(const Graph& graph, const Tensor& x, std::optional<double> alpha) {
  const auto calibrator = CalibrateOn(graph, x);
  const FindStatistics find = [&](std::string_view name) { return calibrator->Find(name); };
  return Must(Smooth(graph, find, alpha, true, {}));
}

double Int8Db(const Graph& reference, const Graph& graph, const Tensor& x) {
  return SqnrDb(RunGraph(reference, x), RunGraph(QuantizeOn(graph, x, {}), x));
}

}  // namespace

Test(smooth, repairs_an_outlier_channel) {
  const Graph graph = Block(60).graph;
  const Tensor x = NormalTensor(kTokens, 9);
  const Smoothed smoothed = SmoothOn(graph, x, {});
  cr_expect_eq(smoothed.activations, 1);
  ExpectSameFunction(graph, smoothed.graph, x);
  const double plain = Int8Db(graph, graph, x);
  const double repaired = Int8Db(graph, smoothed.graph, x);
  cr_expect_gt(repaired, plain + 3, "found %g dB, plain %g dB", repaired, plain);
}

Test(smooth, the_alpha_found_is_hardly_worse_than_any_other) {
  const Graph graph = Block(60).graph;
  const Tensor x = NormalTensor(kTokens, 9);
  const double found = Int8Db(graph, SmoothOn(graph, x, {}).graph, x);
  for (const double alpha : {0.25, 0.5, 0.75}) {
    const double other = Int8Db(graph, SmoothOn(graph, x, alpha).graph, x);
    cr_expect_gt(found, other - 1, "found %g dB, with alpha %g %g dB", found, alpha, other);
  }
}

Test(smooth, does_no_harm_where_no_channel_stands_out) {
  const Graph graph = Block(1).graph;
  const Tensor x = NormalTensor(kTokens, 9);
  cr_expect_gt(Int8Db(graph, SmoothOn(graph, x, {}).graph, x), Int8Db(graph, graph, x) - 1);
}

Test(smooth, needs_statistics_of_the_activation) {
  const Graph graph = Block(60).graph;
  const FindStatistics nothing = [](std::string_view) { return nullptr; };
  cr_expect_eq(Must(Smooth(graph, nothing, {}, true, {})).channels, 0);
}
