// The saturation proof: pairs as oneDNN lays them out, against the instruction's own arithmetic.
#include "quant/saturation.h"

#include <algorithm>
#include <set>

#include "quant/calibrate.h"
#include "quant/quantize_graph.h"
#include "quant/weights.h"
#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

Tensor Weight(Shape shape, const std::vector<int>& values) {
  Tensor t = *Tensor::Make(DType::kS8, std::move(shape));
  cr_assert_eq(t.elements(), static_cast<int64_t>(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    t.mutable_data<int8_t>()[i] = static_cast<int8_t>(values[i]);
  return t;
}

// vpmaddubsw on one pair leaves 16 bits for some activations: sums are largest at the ends.
bool CanSaturate(int a, int b) {
  for (const int x : {0, 255})
    for (const int y : {0, 255})
      if (x * a + y * b > 32767 || x * a + y * b < -32768) return true;
  return false;
}

std::shared_ptr<const Graph> Model() {
  GraphMaker g;
  // Channel 1 has two neighbours near the top; the others are small beside their largest weight.
  const ValueId w =
      g.Constant("w", {3, 4, 1, 1}, {1, 0, .1f, .1f, 1, .9f, 0, .2f, .1f, 0, -1, .2f});
  const ValueId b = g.Constant("b", {3}, {.1f, .2f, .3f});
  g.Output(g.Node("Conv", {g.Input("x", {1, 4, 5, 5}), w, b}, "y"));
  return std::make_shared<const Graph>(std::move(g.graph));
}

Graph Quantized(Target target, bool per_channel = true) {
  const auto graph = Model();
  const auto calibrator = *Calibrator::Create(graph, {}, {});
  Tensor x = *Tensor::Make(DType::kF32, {1, 4, 5, 5});
  const auto values = Normal(100, 1);
  std::copy(values.begin(), values.end(), x.mutable_data<float>());
  cr_assert(calibrator->Feed({&x, 1}).ok());
  SchemeTable schemes;
  schemes.Add("", [&](LayerScheme& s) {
    s.target = target;
    s.per_channel = per_channel;
  });
  Result<Graph> quantized = QuantizeGraph(*graph, calibrator.get(), schemes, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  return *std::move(quantized);
}

const Tensor& ConstantNamed(const Graph& graph, std::string_view name) {
  const auto found = std::find_if(graph.values.begin(), graph.values.end(),
                                  [&](const Value& value) { return value.name == name; });
  cr_assert(found != graph.values.end() && found->constant);
  return *found->constant;
}

SaturationProof ProofOf(const Graph& graph) {
  const Uses uses = FindUses(graph);
  for (const Node& node : graph.nodes)
    if (const auto proof = ProveSaturation(graph, uses, node)) return *proof;
  cr_assert_fail("no product with a proof");
  return {};
}

}  // namespace

Test(saturation, agrees_with_the_instruction_on_every_pair_of_weights) {
  const Reduction reduction = {.channel_axis = 0, .pair_axis = 1};
  for (int a = -128; a < 128; ++a) {
    std::vector<int> values;
    for (int b = -128; b < 128; ++b) values.insert(values.end(), {a, b});
    const auto found = SaturatingChannels(Weight({256, 2}, values), reduction);
    const std::set<int64_t> channels(found.begin(), found.end());
    for (int b = -128; b < 128; ++b)
      cr_assert_eq(channels.contains(b + 128), CanSaturate(a, b), "%d and %d", a, b);
  }
}

Test(saturation, pairs_are_neighbours_along_the_input_channels) {
  const Reduction reduction = {.channel_axis = 0, .pair_axis = 1};
  // (1, 2) are no pair, (0, 1) are.
  cr_assert(SaturatingChannels(Weight({1, 4}, {0, 100, 100, 0}), reduction).empty());
  cr_assert_eq(SaturatingChannels(Weight({1, 4}, {100, 100, 0, 0}), reduction).size(), 1);
  // Of a window of two, input channels are pairs and not positions.
  cr_assert(SaturatingChannels(Weight({1, 2, 2}, {100, 100, 0, 0}), reduction).empty());
  cr_assert_eq(SaturatingChannels(Weight({1, 2, 2}, {100, 0, 100, 0}), reduction).size(), 1);
  // Opposite signs take from each other.
  cr_assert(SaturatingChannels(Weight({1, 2}, {127, -127}), reduction).empty());
}

Test(saturation, pairs_do_not_cross_groups_and_the_last_may_be_alone) {
  const Reduction reduction = {.channel_axis = 1, .pair_axis = 0, .groups = 2};
  cr_assert(SaturatingChannels(Weight({2, 1}, {100, 100}), reduction).empty());
  const Reduction one = {.channel_axis = 1, .pair_axis = 0};
  cr_assert_eq(SaturatingChannels(Weight({2, 1}, {100, 100}), one).size(), 1);
  cr_assert(SaturatingChannels(Weight({3, 1}, {1, 1, 127}), one).empty());
}

Test(saturation, layouts_follow_the_operator) {
  GraphMaker g;
  const ValueId x = g.Input("x", {1, 4});
  g.Output(g.Node("Gemm", {x, g.Random("w", {4, 6}, 1)}, "y"));
  const auto reduction = ReductionOf(g.graph.nodes[0], 2);
  cr_assert(reduction.has_value());
  cr_assert_eq(reduction->channel_axis, 1);
  cr_assert_eq(reduction->pair_axis, 0);
}

Test(saturation, failing_channels_are_marked) {
  const Graph graph = Quantized(Target::kVnni);
  const SaturationProof proof = ProofOf(graph);
  cr_assert_eq(proof.channels, 3);
  cr_assert(proof.saturating == std::vector<int64_t>{1});
  cr_assert_eq(graph.metadata.at("intmill.exact"), "vnni");
  cr_assert_eq(graph.metadata.at("intmill.saturating_channels"), "1");
}

Test(saturation, target_any_gives_just_those_channels_7_bits) {
  const Graph wide = Quantized(Target::kVnni);
  const Graph any = Quantized(Target::kAny);
  cr_assert(ProofOf(any).saturating.empty());
  cr_assert_eq(any.metadata.at("intmill.exact"), "any");
  const Tensor& before = ConstantNamed(wide, "w_scale");
  const Tensor& after = ConstantNamed(any, "w_scale");
  const Tensor& q = ConstantNamed(any, "w_quantized");
  for (const int64_t c : {0, 2}) cr_assert_eq(before.data<float>()[c], after.data<float>()[c]);
  cr_assert_float_eq(after.data<float>()[1], 1.0f / 64, 1e-6);
  cr_assert_eq(q.data<int8_t>()[4], 64);
  cr_assert_eq(q.data<int8_t>()[0], 127);
}

Test(saturation, one_scale_for_all_is_widened_as_a_whole) {
  const Graph any = Quantized(Target::kAny, false);
  cr_assert(ProofOf(any).saturating.empty());
  const Tensor& q = ConstantNamed(any, "w_quantized");
  cr_assert_leq(*std::ranges::max_element(q.values<int8_t>()), kNarrowWeight);
}
