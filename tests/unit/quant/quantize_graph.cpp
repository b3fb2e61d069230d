// QuantizeGraph: what the Q/DQ graph looks like, and that it computes nearly the same.
#include "quant/quantize_graph.h"

#include <cmath>
#include <map>
#include <set>

#include "unit/quant/graphs.h"

using namespace intmill;

namespace {

using Values = std::map<std::string, Tensor, std::less<>>;

// Every value of the graph, by the operators' references.
Values Evaluate(const Graph& graph, const Tensor& x) {
  Values values;
  values[graph.value(graph.inputs[0]).name] = x;
  for (const Node& node : graph.nodes) {
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs)
      inputs.push_back(id == kNoValue             ? nullptr
                       : graph.value(id).constant ? &*graph.value(id).constant
                                                  : &values.at(graph.value(id).name));
    Result<std::vector<Tensor>> outputs = EvaluateNode(graph, node, inputs, int64_t{1} << 30);
    cr_assert(outputs.ok(), "%s", outputs.status().message().c_str());
    for (size_t i = 0; i < node.outputs.size(); ++i)
      values[graph.value(node.outputs[i]).name] = (*outputs)[i];
  }
  return values;
}

struct Fixture {
  GraphMaker g;
  Tensor x;
  std::map<std::string, ValueStatistics, std::less<>> statistics;
  SchemeTable schemes;

  explicit Fixture(GraphMaker maker) : g(std::move(maker)) {
    const Shape shape = *g.graph.value(g.graph.inputs[0]).shape;
    x = *Tensor::Make(DType::kF32, shape);
    const auto random = Normal(static_cast<int>(x.elements()), 77);
    std::copy(random.begin(), random.end(), x.mutable_data<float>());
    for (const auto& [name, tensor] : Evaluate(g.graph, x))
      if (tensor.dtype() == DType::kF32) statistics[name].Add(tensor.values<float>());
  }

  Result<Graph> Quantize() const {
    const FindStatistics find = [&](std::string_view name) {
      const auto found = statistics.find(name);
      return found == statistics.end() ? nullptr : &found->second;
    };
    return QuantizeGraph(g.graph, find, 1, schemes, Hooks());
  }
  Graph MustQuantize() const {
    Result<Graph> graph = Quantize();
    cr_assert(graph.ok(), "%s", graph.status().message().c_str());
    return *std::move(graph);
  }
};

constexpr int64_t kChannels = 4;
const Shape kImage = {1, kChannels, 8, 8};

GraphMaker ConvReluConv() {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  g.Output(g.Conv(g.Node("Relu", {a}, "relu"), kChannels, "y"));
  return g;
}

GraphMaker TwoMatMuls() {
  GraphMaker g;
  const ValueId a = g.Node("MatMul", {g.Input("x", {4, 16}), g.Random("w1", {16, 16}, 1)}, "a");
  g.Output(g.Node("MatMul", {g.Node("Relu", {a}, "relu"), g.Random("w2", {16, 8}, 2)}, "y"));
  return g;
}

const Node& Find(const Graph& graph, std::string_view name) {
  for (const Node& node : graph.nodes)
    if (node.name == name) return node;
  cr_assert(false, "no node %s", std::string(name).c_str());
  return graph.nodes[0];
}

const Node& ProducerOf(const Graph& graph, ValueId id) {
  for (const Node& node : graph.nodes)
    for (const ValueId out : node.outputs)
      if (out == id) return node;
  cr_assert(false, "no producer of %s", graph.value(id).name.c_str());
  return graph.nodes[0];
}

// 10 log10 of signal over noise.
double Sqnr(const Tensor& reference, const Tensor& candidate) {
  double signal = 0;
  double noise = 0;
  for (int64_t i = 0; i < reference.elements(); ++i) {
    const double a = static_cast<double>(reference.data<float>()[i]);
    const double d = a - static_cast<double>(candidate.data<float>()[i]);
    signal += a * a;
    noise += d * d;
  }
  return 10 * std::log10(signal / noise);
}

std::string SchemeOf(const Graph& graph, std::string_view layer, std::string* reason = nullptr) {
  for (const auto& row : QuantizationSummary(graph).rows)
    if (std::get<std::string>(row[0]) == layer) {
      if (reason != nullptr) *reason = std::get<std::string>(row[3]);
      return std::get<std::string>(row[2]);
    }
  return "absent";
}

}  // namespace

Test(quantize_graph, every_product_reads_dequantized_integers) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  for (const std::string name : {"a", "y"}) {
    const Node& conv = Find(graph, name);
    for (const ValueId id : conv.inputs)
      cr_assert(ProducerOf(graph, id).op->name == "DequantizeLinear");
    const Tensor* w = graph.ConstantOf(ProducerOf(graph, conv.inputs[1]).inputs[0]);
    const Tensor* b = graph.ConstantOf(ProducerOf(graph, conv.inputs[2]).inputs[0]);
    cr_assert_eq(w->dtype(), DType::kS8);
    cr_assert_eq(b->dtype(), DType::kS32);
  }
}

Test(quantize_graph, names_follow_the_values) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  std::set<std::string> names;
  for (const Value& value : graph.values) names.insert(value.name);
  for (const char* name : {"x_quantized", "x_dequantized", "x_scale", "x_zero_point",
                           "relu_quantized", "a_w_quantized", "a_w_scale", "a_b_quantized"})
    cr_assert(names.contains(name), "%s", name);
  Find(graph, "x_quantize");
  Find(graph, "a_w_dequantize");
}

Test(quantize_graph, no_quantization_stands_between_conv_and_relu) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  cr_assert(ProducerOf(graph, Find(graph, "relu").inputs[0]).op->name == "Conv");
}

Test(quantize_graph, outputs_keep_their_names_and_types) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  cr_assert_eq(graph.outputs.size(), 1);
  cr_assert(graph.value(graph.outputs[0]).name == "y");
  cr_assert_eq(graph.value(graph.outputs[0]).dtype, DType::kF32);
  cr_assert(graph.value(graph.inputs[0]).name == "x");
}

Test(quantize_graph, outputs_that_layers_read_keep_their_names) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  g.Output(a);
  g.Output(g.Conv(a, kChannels, "y"));
  const Fixture fixture(std::move(g));
  const Graph graph = fixture.MustQuantize();
  cr_assert(graph.value(graph.outputs[0]).name == "a");
  cr_assert(ProducerOf(graph, graph.outputs[0]).op->name == "DequantizeLinear");
  const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("a");
  cr_assert_gt(Sqnr(expected, Evaluate(graph, fixture.x).at("a")), 30.0);
}

Test(quantize_graph, the_last_product_writes_floats) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  cr_assert(ProducerOf(graph, graph.outputs[0]).op->name == "Conv");
}

Test(quantize_graph, a_residual_add_reads_one_result_in_float_and_one_in_integers) {
  GraphMaker g;
  const ValueId a = g.Conv(g.Input("x", kImage), kChannels, "a");
  const ValueId b = g.Conv(a, kChannels, "b");
  const ValueId sum = g.Node("Add", {a, b}, "sum");
  g.Output(g.Conv(g.Node("Relu", {sum}, "relu"), kChannels, "y"));
  const Fixture fixture(std::move(g));
  const Graph graph = fixture.MustQuantize();
  cr_assert(ProducerOf(graph, Find(graph, "sum").inputs[0]).op->name == "DequantizeLinear");
  cr_assert(ProducerOf(graph, Find(graph, "sum").inputs[1]).op->name == "Conv");
  for (const char* layer : {"a", "b", "sum", "relu", "y"})
    cr_assert(SchemeOf(graph, layer) == "static", "%s", layer);
  const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("y");
  cr_assert_gt(Sqnr(expected, Evaluate(graph, fixture.x).at("y")), 28.0);
}

Test(quantize_graph, float_weights_are_gone) {
  const Graph graph = Fixture(ConvReluConv()).MustQuantize();
  for (const Value& value : graph.values) cr_assert(value.name != "a_w");
}

Test(quantize_graph, computes_nearly_the_same) {
  const Fixture fixture(ConvReluConv());
  const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("y");
  const Tensor actual = Evaluate(fixture.MustQuantize(), fixture.x).at("y");
  cr_assert_gt(Sqnr(expected, actual), 30.0);  // 8 bits give 40 dB or so, less what adds up
}

Test(quantize_graph, each_kind_of_activation_and_weight_computes_nearly_the_same) {
  for (const DType dtype : {DType::kU8, DType::kS8}) {
    for (const bool symmetric : {false, true}) {
      for (const bool per_channel : {false, true}) {
        Fixture fixture(ConvReluConv());
        fixture.schemes.Add("", [=](LayerScheme& s) {
          s.activation_dtype = s.weight_dtype = dtype;
          s.activation_symmetric = s.weight_symmetric = symmetric;
          s.per_channel = per_channel;
        });
        const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("y");
        const Tensor actual = Evaluate(fixture.MustQuantize(), fixture.x).at("y");
        cr_assert_gt(Sqnr(expected, actual), 25.0, "%s symmetric %d per channel %d",
                     DTypeName(dtype), symmetric, per_channel);
      }
    }
  }
}

Test(quantize_graph, dynamic_needs_no_calibration) {
  Fixture fixture(TwoMatMuls());
  fixture.schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const Result<Graph> graph = QuantizeGraph(fixture.g.graph, nullptr, fixture.schemes, Hooks());
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  const Node& dequantize = ProducerOf(*graph, Find(*graph, "a").inputs[0]);
  cr_assert(ProducerOf(*graph, dequantize.inputs[0]).op->name == "DynamicQuantizeLinear");
  cr_assert(SchemeOf(*graph, "a") == "dynamic");
  const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("y");
  cr_assert_gt(Sqnr(expected, Evaluate(*graph, fixture.x).at("y")), 30.0);
}

Test(quantize_graph, one_dynamic_quantization_serves_all_readers) {
  GraphMaker g;
  const ValueId x = g.Input("x", {4, 16});
  g.Output(g.Node("MatMul", {x, g.Random("w1", {16, 8}, 1)}, "a"));
  g.Output(g.Node("MatMul", {x, g.Random("w2", {16, 8}, 2)}, "b"));
  Fixture fixture(std::move(g));
  fixture.schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const Graph graph = fixture.MustQuantize();
  cr_assert_eq(Find(graph, "a").inputs[0], Find(graph, "b").inputs[0]);
}

Test(quantize_graph, static_and_dynamic_layers_mix) {
  Fixture fixture(TwoMatMuls());
  fixture.schemes.Add("y", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const Graph graph = fixture.MustQuantize();
  cr_assert(SchemeOf(graph, "a") == "static");
  cr_assert(SchemeOf(graph, "y") == "dynamic");
  cr_assert(graph.metadata.at("intmill.scheme") == "mixed");
  const Tensor expected = Evaluate(fixture.g.graph, fixture.x).at("y");
  cr_assert_gt(Sqnr(expected, Evaluate(graph, fixture.x).at("y")), 28.0);
}

Test(quantize_graph, layers_share_the_integers_of_a_shared_weight) {
  GraphMaker g;
  const ValueId w = g.Random("w", {kChannels, kChannels, 1, 1}, 1);
  const ValueId a = g.Node("Conv", {g.Input("x", kImage), w}, "a");
  g.Output(g.Node("Conv", {a, w}, "y"));
  const Graph graph = Fixture(std::move(g)).MustQuantize();
  cr_assert_eq(Find(graph, "a").inputs[1], Find(graph, "y").inputs[1]);
}

Test(quantize_graph, a_float_layer_reads_the_float_of_a_float_layer) {
  GraphMaker g;
  const ValueId x = g.Input("x", kImage);
  const ValueId exp = g.Node("Exp", {x}, "exp");
  g.Output(g.Conv(exp, kChannels, "conv"));
  g.Output(g.Node("Sqrt", {exp}, "sqrt"));
  const Graph graph = Fixture(std::move(g)).MustQuantize();
  cr_assert(ProducerOf(graph, Find(graph, "sqrt").inputs[0]).op->name == "Exp");
  cr_assert(ProducerOf(graph, Find(graph, "conv").inputs[0]).op->name == "DequantizeLinear");
}

Test(quantize_graph, the_summary_gives_schemes_and_reasons) {
  Fixture fixture(ConvReluConv());
  fixture.schemes.Add("y", [](LayerScheme& s) { s.skip = true; });
  const Graph graph = fixture.MustQuantize();
  std::string reason;
  cr_assert(SchemeOf(graph, "a") == "static");
  cr_assert(SchemeOf(graph, "relu") == "static");
  cr_assert(SchemeOf(graph, "y", &reason) == "float");
  cr_assert(reason == "left in float by the options");
  cr_assert(SchemeOf(graph, "x_quantize") == "absent");
}

Test(quantize_graph, the_summary_of_a_float_graph_is_float) {
  const GraphMaker g = ConvReluConv();
  cr_assert(SchemeOf(g.graph, "a") == "float");
  cr_assert(SchemeOf(g.graph, "relu") == "float");
}

Test(quantize_graph, metadata_says_what_was_done) {
  Fixture fixture(ConvReluConv());
  fixture.g.graph.metadata["intmill.source"] = "model.onnx";
  const Graph graph = fixture.MustQuantize();
  cr_assert(graph.metadata.at("intmill.scheme") == "static");
  cr_assert(graph.metadata.at("intmill.samples") == "1");
  cr_assert(graph.metadata.at("intmill.source") == "model.onnx");
  cr_assert(graph.metadata.contains("intmill.calibration"));
}

Test(quantize_graph, a_quantized_graph_is_refused) {
  Fixture fixture(ConvReluConv());
  fixture.g.graph = fixture.MustQuantize();
  cr_assert_eq(fixture.Quantize().status().code(), Code::kState);
}

Test(quantize_graph, static_without_calibration_is_refused) {
  const GraphMaker g = ConvReluConv();
  const Result<Graph> graph = QuantizeGraph(g.graph, nullptr, SchemeTable(), Hooks());
  cr_assert_eq(graph.status().code(), Code::kInvalidArgument);
}

Test(quantize_graph, a_rule_for_an_unknown_layer_is_refused) {
  Fixture fixture(ConvReluConv());
  fixture.schemes.Add("cnov1", [](LayerScheme& s) { s.skip = true; });
  const Result<Graph> graph = fixture.Quantize();
  cr_assert_eq(graph.status().code(), Code::kInvalidArgument);
  cr_assert(graph.status().message() == "no layer is named 'cnov1'");
}

Test(quantize_graph, a_glob_may_match_nothing) {
  Fixture fixture(ConvReluConv());
  fixture.schemes.Add("block9.*", [](LayerScheme& s) { s.skip = true; });
  cr_assert(fixture.Quantize().ok());
}

Test(quantize_graph, the_host_can_stop_it) {
  const Fixture fixture(ConvReluConv());
  Hooks hooks;
  hooks.progress = [](const char*, int64_t, int64_t) { return false; };
  SchemeTable schemes;
  schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kDynamicRanges; });
  const Result<Graph> graph = QuantizeGraph(TwoMatMuls().graph, nullptr, schemes, hooks);
  cr_assert_eq(graph.status().code(), Code::kCancelled);
}

Test(quantize_graph, the_same_input_gives_the_same_graph) {
  const Fixture fixture(ConvReluConv());
  const Graph a = fixture.MustQuantize();
  const Graph b = fixture.MustQuantize();
  cr_assert_eq(a.values.size(), b.values.size());
  for (size_t i = 0; i < a.values.size(); ++i) {
    cr_assert(a.values[i].name == b.values[i].name);
    if (!a.values[i].constant) continue;
    const Tensor& x = *a.values[i].constant;
    const Tensor& y = *b.values[i].constant;
    cr_assert_arr_eq(x.data<std::byte>(), y.data<std::byte>(), static_cast<size_t>(x.bytes()));
  }
}

Test(quantize_graph, summary_takes_a_product_and_its_constant_addend_as_static) {
  GraphMaker g;
  const ValueId a = g.Node("MatMul", {g.Input("x", {2, 4, 16}), g.Random("w", {16, 8}, 1)}, "a");
  const ValueId y = g.Node("Add", {g.Random("b", {8}, 2), a}, "y");
  g.Output(g.Node("MatMul", {y, g.Random("v", {8, 8}, 3)}, "z"));
  const Graph graph = Fixture(std::move(g)).MustQuantize();
  cr_expect(SchemeOf(graph, "a") == "static");
  cr_expect(SchemeOf(graph, "y") == "static");
}
