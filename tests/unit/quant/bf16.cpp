// Arithmetic in BF16: what the quantizer writes, and that it computes the same on instructions for
// BF16, on floats, and by the plain definition.
#include <cmath>

#include "ir/print.h"
#include "kernels/onednn/runtime.h"
#include "quant/layer_values.h"
#include "unit/quant/runs.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr int64_t kDepth = 300;

SchemeTable Bf16(const std::string& pattern = "") {
  SchemeTable schemes;
  schemes.Add(pattern, [](LayerScheme& s) { s.scheme = Scheme::kBf16Compute; });
  return schemes;
}

Graph InBf16(const Graph& graph, const SchemeTable& schemes = Bf16()) {
  return Must(QuantizeGraph(graph, nullptr, schemes, Hooks()));
}

std::string SchemeOf(const Graph& graph, std::string_view layer) {
  const Table table = QuantizationSummary(graph);
  for (const auto& row : table.rows)
    if (ToText(row[0]) == layer) return ToText(row[2]);
  return "no such layer";
}

int64_t RoundsToBf16(const Graph& graph) {
  return std::ranges::count_if(graph.nodes, [&](const Node& node) {
    return node.op->name == "Cast" && graph.value(node.outputs[0]).dtype == DType::kBf16;
  });
}

// Queries and keys of one input, multiplied by each other.
GraphMaker Scores() {
  GraphMaker g;
  const ValueId x = g.Input("x", {5, 8});
  const ValueId q = g.Node("MatMul", {x, g.Random("q_w", {8, 6}, 1)}, "q");
  const ValueId k = g.Node("MatMul", {x, g.Random("k_w", {8, 6}, 2)}, "k");
  g.Output(g.Node("MatMul", {q, g.Node("Transpose", {k}, "turned")}, "scores"));
  return g;
}

// Products of all kinds behind one another.
Graph Network() {
  GraphMaker g;
  ValueId x = g.Input("x", {1, 6, 9, 9});
  x = g.Node("Relu", {g.Conv(x, 6, "first")}, "first_act");
  const ValueId grouped = g.graph.AddValue("grouped");
  Node& conv = g.graph.AddNode("grouped", FindOp("Conv"),
                               {x, g.Random("grouped_w", {6, 3, 2, 2}, 3)}, {grouped});
  conv.attrs.Set("group", int64_t{2});
  conv.attrs.Set("strides", std::vector<int64_t>{2, 2});
  const Status inferred = InferNode(g.graph, conv);
  cr_assert(inferred.ok(), "%s", inferred.message().c_str());
  x = g.Node("Sigmoid", {grouped}, "grouped_act");
  x = g.Node("Flatten", {x}, "flat");
  const int64_t depth = (*g.graph.value(x).shape)[1];
  x = g.Node("Gemm", {x, g.Random("dense_w", {depth, 40}, 4), g.Random("dense_b", {40}, 5)},
             "dense");
  x = g.Node("Tanh", {x}, "dense_act");
  g.Output(g.Node("MatMul", {x, g.Random("last_w", {40, 7}, 6)}, "last"));
  return g.graph;
}

std::vector<float> RunWith(const Graph& graph, const Tensor& x, SessionOptions options) {
  const auto session =
      Must(Session::Create(std::make_shared<const Graph>(graph), std::move(options)));
  std::vector<Tensor> outputs(1);
  const Status status = session->Run({&x, 1}, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return {outputs[0].values<float>().begin(), outputs[0].values<float>().end()};
}

// A sum of n products in another order differs by at most n 2^-24 of the sum of their sizes.
void ExpectOnlyAnotherOrder() {
  GraphMaker g;
  const Tensor x = NormalTensor({16, kDepth}, 7);
  const ValueId input = g.Input("x", {16, kDepth});
  g.Output(g.Node("MatMul", {input, g.Random("w", {kDepth, 70}, 8)}, "y"));
  const Graph graph = InBf16(g.graph);
  const std::vector<float> wanted = RunWith(graph, x, {.threads = 1, .references_only = true});
  const std::vector<float> found = RunWith(graph, x, {.threads = 1});
  const Tensor& w = *g.graph.ConstantOf(g.graph.nodes[0].inputs[1]);
  for (int64_t i = 0; i < 16 * 70; ++i) {
    double sizes = 0;
    for (int64_t k = 0; k < kDepth; ++k)
      sizes += std::abs(static_cast<double>(x.data<float>()[i / 70 * kDepth + k]) *
                        static_cast<double>(w.data<float>()[k * 70 + i % 70]));
    const auto at = static_cast<size_t>(i);
    cr_assert_leq(std::abs(static_cast<double>(found[at] - wanted[at])),
                  1.01 * kDepth * 0x1p-24 * sizes, "element %d", static_cast<int>(i));
  }
  // Of whole networks some values lie so near the middle between two that they round the other way.
  const Graph network = InBf16(Network());
  const Tensor image = NormalTensor({1, 6, 9, 9}, 9);
  const double db = SqnrDb(RunWith(network, image, {.threads = 1, .references_only = true}),
                           RunWith(network, image, {.threads = 1}));
  cr_expect_gt(db, 65, "%g dB", db);
}

}  // namespace

Test(bf16, products_and_tables_are_in_bf16) {
  const Graph graph = InBf16(Network());
  for (const char* layer : {"first", "grouped", "dense", "last"})
    cr_expect(SchemeOf(graph, layer) == "bf16_compute", "%s", layer);
  cr_expect(SchemeOf(graph, "dense_act") == "float");
  cr_expect_str_eq(graph.metadata.at("intmill.scheme").c_str(), "bf16_compute");
  cr_expect_eq(RoundsToBf16(graph), 4);
  for (const Value& value : graph.values)
    cr_expect(!value.constant || value.constant->elements() <= 40 || value.dtype == DType::kBf16,
              "%s", value.name.c_str());
}

Test(bf16, layers_that_read_one_value_share_its_rounding) {
  const Graph graph = InBf16(Scores().graph);
  cr_expect_eq(RoundsToBf16(graph), 3, "%s", Print(graph).c_str());
  cr_expect(SchemeOf(graph, "scores") == "bf16_compute");
}

Test(bf16, layers_can_be_chosen_by_glob) {
  SchemeTable schemes = Bf16("d*");
  schemes.Add("", [](LayerScheme& s) { s.scheme = Scheme::kFp16; });
  const Graph graph = InBf16(Network(), schemes);
  cr_expect(SchemeOf(graph, "dense") == "bf16_compute");
  cr_expect(SchemeOf(graph, "first") == "fp16");
  cr_expect_eq(RoundsToBf16(graph), 1);
}

Test(bf16, what_it_cannot_do_is_said) {
  GraphMaker g;
  const ValueId x = g.Input("x", {2, 4});
  g.Output(g.Node("Gemm", {x, g.Random("w", {4, 4}, 1)}, "scaled"));
  g.graph.nodes.back().attrs.Set("alpha", 2.0f);
  const Graph graph = InBf16(g.graph);
  cr_expect(SchemeOf(graph, "scaled") == "float");
  cr_expect_str_eq(graph.metadata.at("intmill.float.scaled").c_str(),
                   "its attribute 'alpha' is not 1");
}

Test(bf16, the_result_is_near_that_of_the_float_model) {
  const Tensor x = NormalTensor({1, 6, 9, 9}, 9);
  const double db = SqnrDb(RunGraph(Network(), x), RunGraph(InBf16(Network()), x));
  cr_expect_gt(db, 35, "%g dB", db);
  cr_expect_lt(db, 70, "%g dB: nothing was rounded", db);
}

Test(bf16, the_machines_kernels_differ_from_the_definition_by_the_order_of_sums_only) {
  ExpectOnlyAnotherOrder();
}

Test(bf16, so_do_floats_where_there_are_no_instructions_for_it) {
  cr_assert(SetIsaLimit(Isa::kAvx2).ok());
  ExpectOnlyAnotherOrder();
}

Test(bf16, products_have_kernels_of_bf16_where_the_processor_does) {
  if (!HasBf16(EffectiveIsa())) cr_skip_test("this processor has no products of BF16");
  const auto session = Must(Session::Create(std::make_shared<const Graph>(InBf16(Network())),
                                            {.threads = 1, .profile = true}));
  int64_t products = 0;
  for (const auto& row : session->Profile().rows) {
    const std::string op = ToText(row[1]);
    if (ToText(row[8]) != "bf16" || (op != "Conv" && op != "Gemm" && op != "MatMul")) continue;
    ++products;
    // oneDNN names kernels of AMX without their type; it has none for floats.
    const std::string kernel = ToText(row[2]);
    cr_expect(kernel.find("bf16") != std::string::npos || kernel.find("amx") != std::string::npos,
              "%s: %s", ToText(row[0]).c_str(), kernel.c_str());
  }
  cr_expect_eq(products, 4);
}

Test(bf16, results_of_layers_are_seen_where_they_are_written_in_bf16) {
  const auto graph = std::make_shared<const Graph>(InBf16(Network()));
  const auto session = Must(Session::Create(graph, {.threads = 1}));
  const LayerValues values(*graph);
  std::vector<std::string> seen;
  const Tap tap = values.MakeTap([&](const std::string& layer, std::span<const float> found) {
    seen.push_back(layer);
    cr_expect(std::ranges::all_of(found, [](float x) { return std::abs(x) < 100; }));
  });
  const Tensor x = NormalTensor({1, 6, 9, 9}, 9);
  std::vector<Tensor> outputs(1);
  cr_assert(session->Run({&x, 1}, outputs, tap).ok());
  std::ranges::sort(seen);
  const std::vector<std::string> wanted = {"dense", "first", "grouped", "last"};
  cr_expect(seen == wanted, "%d layers", static_cast<int>(seen.size()));
}
