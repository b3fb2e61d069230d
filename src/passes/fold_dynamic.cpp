// fold_dynamic: DynamicQuantizeLinear -> DequantizeLinear -> MatMul or Gemm with 8-bit weights
// becomes one product of integers, whose scale and zero point arrive with the data.
#include <algorithm>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

// Integers whose scale and zero point are known when they are.
struct DynamicValue {
  ValueId quantized = kNoValue;
  ValueId scale = kNoValue;
  ValueId zero_point = kNoValue;
};

// Through a DequantizeLinear, what a DynamicQuantizeLinear made; it may have been moved since.
std::optional<DynamicValue> DynamicSource(Edges& edges, ValueId id) {
  const int32_t dequantize = edges.Producer(id);
  if (dequantize == Uses::kNone || !edges.node(dequantize).op->Has(kDequantize)) return {};
  const std::vector<ValueId>& dq = edges.node(dequantize).inputs;
  int32_t source = edges.Producer(dq[0]);
  while (source != Uses::kNone && edges.node(source).op->Has(kMovesData))
    source = edges.Producer(edges.node(source).inputs[0]);
  if (source == Uses::kNone || edges.node(source).op != FindOp("DynamicQuantizeLinear")) return {};
  const std::vector<ValueId>& made = edges.node(source).outputs;
  if (dq.size() != 3 || made.size() != 3 || dq[1] != made[1] || dq[2] != made[2]) return {};
  return DynamicValue{dq[0], dq[1], dq[2]};
}

bool IsPlainGemm(const Node& node) {
  const auto is = [&](const char* name, float wanted) {
    const Result<float> value = node.attrs.Float(name, 1);
    return value.ok() && *value == wanted;
  };
  const Result<int64_t> trans_a = node.attrs.Int("transA", 0);
  return is("alpha", 1) && is("beta", 1) && trans_a.ok() && *trans_a == 0;
}

bool IsBias(const Graph& graph, ValueId id, int64_t columns) {
  const Tensor* c = graph.ConstantOf(id);
  return id == kNoValue || (c != nullptr && c->dtype() == DType::kF32 && c->elements() == columns &&
                            c->shape().back() == columns);
}

// 8-bit symmetric weights of two dimensions behind a DequantizeLinear, scaled per column or at
// once.
bool WeightsFit(const Graph& graph, const Node& node, const QuantizedValue& w) {
  const Value& value = graph.value(w.id);
  const bool meaning_fits = value.qparams == nullptr || *value.qparams == *w.qparams;
  return graph.ConstantOf(w.id) != nullptr && w.qparams->dtype == DType::kS8 &&
         value.shape->size() == 2 && meaning_fits &&
         (w.qparams->per_tensor() || w.qparams->axis == node.op->weight_axis(node, 2)) &&
         std::ranges::all_of(w.qparams->zero_points, [](int32_t z) { return z == 0; });
}

bool Fold(Graph& graph, Edges& edges, int32_t index, std::vector<Node>& casts) {
  const Node& node = edges.node(index);
  if (node.op != FindOp("MatMul") && !(node.op == FindOp("Gemm") && IsPlainGemm(node)))
    return false;
  const std::optional<DynamicValue> x = DynamicSource(edges, node.inputs[0]);
  const std::optional<QuantizedValue> w = edges.Dequantized(node.inputs[1]);
  if (!x || !w || !WeightsFit(graph, node, *w)) return false;
  const auto axis = static_cast<size_t>(node.op->weight_axis(node, 2));
  const int64_t columns = (*graph.value(w->id).shape)[axis];
  const ValueId bias = node.inputs.size() > 2 ? node.inputs[2] : kNoValue;
  if (!IsBias(graph, bias, columns) || node.inputs.size() > 3) return false;

  Node cast{.name = graph.UniqueNodeName(node.name + "_zero_point"), .op = FindOp("Cast")};
  cast.attrs.Set("to", int64_t{6});  // int32 in ONNX's numbering
  cast.inputs = {x->zero_point};
  cast.outputs = {graph.AddValue(node.name + "_zero_point", DType::kS32, Shape())};
  Node& folded = edges.node(index);
  const bool transposed = axis == 0;
  folded.op = FindOp("DynamicMatMul", "intmill");
  folded.attrs = {};
  folded.attrs.Set("transB", int64_t{transposed});
  folded.inputs = {x->quantized, w->id, bias, x->scale, cast.outputs[0]};
  graph.value(w->id).qparams = w->qparams;
  casts.push_back(std::move(cast));
  return true;
}

}  // namespace

Result<int64_t> FoldDynamic(Graph& graph, PassContext&) {
  const OpDef* const dynamic = FindOp("DynamicQuantizeLinear");
  if (std::ranges::find(graph.nodes, dynamic, &Node::op) == graph.nodes.end()) return 0;
  Edges edges(graph);
  std::vector<Node> casts;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.nodes.size()); ++i)
    Fold(graph, edges, i, casts);
  const auto folded = static_cast<int64_t>(casts.size());
  std::ranges::move(casts, std::back_inserter(graph.nodes));
  if (folded > 0) TRY(SortTopologically(graph));
  return folded;
}

}  // namespace intmill
