// 16-bit inputs of products: which layers have them, what is written into the graph, what they
// save.
#include <algorithm>

#include "quant/saturation.h"
#include "quant/twins.h"
#include "unit/quant/runs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const Shape kImage = {1, 4, 8, 8};

SchemeTable Words(std::string pattern = "") {
  SchemeTable schemes;
  schemes.Add(std::move(pattern), [](LayerScheme& s) { s.activation_dtype = DType::kS16; });
  return schemes;
}

const Node* Find(const Graph& graph, std::string_view name) {
  const auto found = std::ranges::find(graph.nodes, name, &Node::name);
  return found == graph.nodes.end() ? nullptr : &*found;
}

// The type of the integers behind input 0 of a node; kNone: it reads floats.
DType ReadType(const Graph& graph, std::string_view layer) {
  const Node* node = Find(graph, layer);
  cr_assert(node != nullptr, "no layer %s", std::string(layer).c_str());
  for (const Node& maker : graph.nodes)
    if (maker.op->Has(kDequantize) && maker.outputs[0] == node->inputs[0])
      return graph.value(maker.inputs[0]).dtype;
  return DType::kNone;
}

int64_t Quantizes(const Graph& graph) {
  return std::ranges::count_if(graph.nodes, [](const Node& n) { return n.op->Has(kQuantize); });
}

// One channel of 32 is three hundred times the others, and this product makes nothing of it.
GraphMaker Outlier() {
  GraphMaker g;
  std::vector<float> weights = Normal(32 * 16, 4, 0.5f);
  for (size_t i = 0; i < 16; ++i) weights[5 * 16 + i] = 0;
  const ValueId x = g.Input("x", {64, 32});
  g.Output(g.Node("MatMul", {x, g.Constant("w", {32, 16}, weights)}, "y"));
  return g;
}

Tensor OutlierData() {
  Tensor x = NormalTensor({64, 32}, 7);
  for (int64_t row = 0; row < 64; ++row) x.mutable_data<float>()[row * 32 + 5] *= 300;
  return x;
}

}  // namespace

Test(int16, products_read_words_and_nothing_else_does) {
  GraphMaker g;
  const ValueId a = g.Node("Relu", {g.Conv(g.Input("x", kImage), 4, "a")}, "active");
  const ValueId sum = g.Node("Add", {g.Conv(a, 4, "b"), a}, "sum");
  g.Output(g.Conv(g.Node("GlobalAveragePool", {sum}, "mean"), 4, "c"));
  const Tensor x = NormalTensor(kImage, 1);
  const Graph q = QuantizeOn(g.graph, x, Words());
  for (const char* layer : {"a", "b", "c"}) cr_expect_eq(ReadType(q, layer), DType::kS16);
  cr_expect_eq(ReadType(q, "sum"), DType::kNone);
  cr_expect_eq(ReadType(q, "mean"), DType::kNone);
  cr_expect_eq(Quantizes(q), 3);
  cr_expect(Find(q, "active_s16_quantize") != nullptr);
  const double db = SqnrDb(RunGraph(g.graph, x), RunGraph(q, x));
  cr_expect_gt(db, 35, "found %g dB", db);  // what 8-bit weights leave
}

Test(int16, biases_stay_floats) {
  GraphMaker g;
  g.Output(g.Conv(g.Input("x", kImage), 4, "a"));
  const Graph q = QuantizeOn(g.graph, NormalTensor(kImage, 1), Words());
  const Tensor* bias = q.ConstantOf(Find(q, "a")->inputs[2]);
  cr_assert(bias != nullptr);
  cr_expect_eq(bias->dtype(), DType::kF32);
}

Test(int16, the_scale_spans_all_that_was_seen_whatever_the_method) {
  GraphMaker g;
  g.Output(g.Conv(g.Input("x", {1, 4, 100, 100}), 4, "a"));
  Tensor x = NormalTensor({1, 4, 100, 100}, 1);
  x.mutable_data<float>()[17] = -500;
  for (const Calibration method : {Calibration::kPercentile, Calibration::kMse}) {
    SchemeTable schemes = Words();
    schemes.Add("", [method](LayerScheme& s) {
      s.calibration = method;
      s.percentile = 99;
    });
    const Graph q = QuantizeOn(g.graph, x, schemes);
    const Node* quantize = Find(q, "x_s16_quantize");
    cr_assert(quantize != nullptr);
    cr_expect_eq(q.ConstantOf(quantize->inputs[1])->data<float>()[0], 500.0f / 32767);
    cr_expect_eq(q.ConstantOf(quantize->inputs[2])->data<int16_t>()[0], 0);
  }
}

Test(int16, a_value_with_readers_of_both_widths_has_both_integers) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), 4, "a");
  g.Output(g.Conv(a, 4, "bytes"));
  g.Output(g.Conv(a, 4, "words"));
  const Graph q = QuantizeOn(g.graph, NormalTensor(kImage, 1), Words("words"));
  cr_expect_eq(ReadType(q, "a"), DType::kU8);
  cr_expect_eq(ReadType(q, "bytes"), DType::kU8);
  cr_expect_eq(ReadType(q, "words"), DType::kS16);
  // Both round what the layer computes, not each other's integers.
  cr_expect_eq(Find(q, "a_quantize")->inputs[0], Find(q, "a_s16_quantize")->inputs[0]);
}

Test(int16, an_output_that_words_read_too_is_rounded_to_bytes_for_others_only) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), 4, "a");
  g.Output(a);
  g.Output(g.Conv(a, 4, "bytes"));
  g.Output(g.Conv(a, 4, "words"));
  const Graph q = QuantizeOn(g.graph, NormalTensor(kImage, 1), Words("words"));
  cr_expect_eq(Find(q, "a_quantize")->inputs[0], Find(q, "a_s16_quantize")->inputs[0]);
  cr_expect_eq(ReadType(q, "words"), DType::kS16);
}

Test(int16, what_only_words_read_is_not_pooled_in_bytes) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), 4, "a");
  const ValueId pooled = g.Node("GlobalMaxPool", {a}, "pooled");
  g.Output(g.Conv(pooled, 4, "words"));
  const Graph q = QuantizeOn(g.graph, NormalTensor(kImage, 1), Words("words"));
  cr_expect_eq(ReadType(q, "pooled"), DType::kNone);
  cr_expect_eq(ReadType(q, "words"), DType::kS16);
  cr_expect_eq(Quantizes(q), 2);
}

Test(int16, a_layer_of_words_writes_bytes_for_readers_of_bytes) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), 4, "words");
  const ValueId pooled = g.Node("GlobalMaxPool", {a}, "pooled");
  g.Output(g.Conv(pooled, 4, "bytes"));
  const Graph q = QuantizeOn(g.graph, NormalTensor(kImage, 1), Words("words"));
  cr_expect_eq(ReadType(q, "words"), DType::kS16);
  cr_expect_eq(ReadType(q, "pooled"), DType::kU8);
  cr_expect_eq(ReadType(q, "bytes"), DType::kU8);
}

Test(int16, an_outlier_channel_costs_bytes_what_words_keep) {
  const GraphMaker g = Outlier();
  const Tensor x = OutlierData();
  const std::vector<float> real = RunGraph(g.graph, x);
  const double bytes = SqnrDb(real, RunGraph(QuantizeOn(g.graph, x, {}), x));
  const double words = SqnrDb(real, RunGraph(QuantizeOn(g.graph, x, Words()), x));
  cr_expect_lt(bytes, 15, "found %g dB", bytes);
  cr_expect_gt(words, bytes + 20, "found %g dB and %g dB", words, bytes);
}

Test(int16, dynamic_ranges_are_of_bytes) {
  const GraphMaker g = Outlier();
  SchemeTable schemes = Words();
  schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const Result<Graph> q = QuantizeGraph(g.graph, nullptr, schemes, {});
  cr_assert_eq(q.status().code(), Code::kUnsupported);
  cr_expect_str_eq(q.status().message().c_str(),
                   "node 'y' (MatMul): activations of 16 bits with scheme dynamic, wanted scheme "
                   "static");
}

Test(int16, attention_stays_in_float) {
  GraphMaker g;
  const ValueId x = g.Input("x", {1, 2, 8, 8});
  const ValueId scores = g.Node("MatMul", {x, x}, "scores");
  const ValueId seen = g.Node("MatMul", {g.Node("Softmax", {scores}, "weights"), x}, "seen");
  g.Output(g.Node("MatMul", {seen, g.Random("w", {8, 8}, 4)}, "out"));
  const std::vector<LayerDecision> layers = DecideLayers(g.graph, Words());
  cr_expect_eq(layers[g.Find("scores")].kind, LayerKind::kFloat);
  cr_expect(layers[g.Find("out")].reads_int16());
}

Test(int16, the_proof_against_saturation_holds_for_both_halves) {
  const GraphMaker g = Outlier();
  SchemeTable schemes = Words();
  schemes.Add("", [](LayerScheme& s) { s.target = Target::kAny; });
  const Graph q = QuantizeOn(g.graph, OutlierData(), schemes);
  cr_expect_str_eq(q.metadata.at(kExactKey).c_str(), "any");
}

Test(int16, sensitivity_probes_what_the_model_will_compute) {
  const GraphMaker g = Outlier();
  const auto calibrator = CalibrateOn(g.graph, OutlierData());
  const FindStatistics find = [&](std::string_view name) { return calibrator->Find(name); };
  const TwinGraph twins = Must(MakeTwins(g.graph, find, Words(), MainForm::kFloat, {}));
  cr_assert_eq(twins.twins.size(), 1);
  cr_expect_eq(twins.twins[0].input_params->dtype, DType::kS16);
}
