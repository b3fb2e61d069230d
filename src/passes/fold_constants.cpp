// fold_constants: computes in one sweep what is already known: nodes whose inputs are constants,
// and shapes of values whose shape is static.
#include <algorithm>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

bool HasPresentOutputs(const Node& node) {
  return std::none_of(node.outputs.begin(), node.outputs.end(),
                      [](ValueId id) { return id == kNoValue; });
}

// Quantized weights stay behind their DequantizeLinear: folding it would undo the quantization. A
// QuantizeLinear of weights is folded, which stores them as integers.
bool MayFold(const Node& node) {
  return node.op->reference != nullptr && !node.op->Has(kDequantize) && HasPresentOutputs(node);
}

// By value: weights of products of BF16. They stay behind their Cast as quantized ones do, for
// fold_bf16 to find.
std::vector<bool> FindBf16Weights(Graph& graph) {
  std::vector<bool> found(graph.values.size());
  const auto is_weight = [&](const Node& node) {
    return IsCast(graph, node, DType::kBf16, DType::kF32) && graph.ConstantOf(node.inputs[0]);
  };
  if (std::ranges::none_of(graph.nodes, is_weight)) return found;
  const Edges edges(graph);
  for (const Node& product : graph.nodes)
    if (IsProductOfBf16(edges, product))
      for (const size_t i : {0, 1}) found[static_cast<size_t>(product.inputs[i])] = true;
  return found;
}

// Whether the reference is sure to be quick: an element of the output reads at most one element of
// each input, or at most all of them.
bool IsCheap(const Graph& graph, const Node& node) {
  constexpr double kMaxReads = 1e9;
  if (node.op->Has(kElementwise) || node.op->Has(kMovesData) || node.op->Has(kQuantize) ||
      node.op->Has(kShapeOnly))
    return true;
  double read = 0;
  double written = 0;
  for (const ValueId id : node.inputs)
    if (const Tensor* constant = graph.ConstantOf(id))
      read += static_cast<double>(constant->elements());
  for (const ValueId id : node.outputs) {
    const std::optional<Shape>& shape = graph.value(id).shape;
    if (!shape || !IsStatic(*shape)) return false;
    written += static_cast<double>(NumElements(*shape));
  }
  return read * written <= kMaxReads;
}

bool HasConstantInputs(const Graph& graph, const Node& node) {
  if (node.op->Has(kShapeOnly)) {
    const std::optional<Shape>& shape = graph.value(node.inputs[0]).shape;
    return shape && IsStatic(*shape);
  }
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId id) { return id == kNoValue || graph.ConstantOf(id) != nullptr; });
}

// The outputs; none when they are larger than folding may make them.
Result<std::vector<Tensor>> Compute(const Graph& graph, const Node& node, int64_t max_bytes) {
  std::vector<Tensor> shape_carriers;  // a shape-only input has a shape, but no data to read
  std::vector<const Tensor*> inputs;
  for (const ValueId id : node.inputs) {
    const Tensor* constant = graph.ConstantOf(id);
    if (constant == nullptr && id != kNoValue) {
      const Value& value = graph.value(id);
      shape_carriers.push_back(Tensor::View(value.dtype, *value.shape, nullptr, nullptr));
      constant = &shape_carriers.back();
    }
    inputs.push_back(constant);
  }
  Result<std::vector<Tensor>> outputs = EvaluateNode(graph, node, inputs, max_bytes);
  if (!outputs.ok() && (outputs.status().code() == Code::kUnsupported ||
                        outputs.status().code() == Code::kOutOfMemory))
    return std::vector<Tensor>();  // left to the plan, which may do better or say why not
  return outputs;
}

}  // namespace

Result<int64_t> FoldConstants(Graph& graph, PassContext& context) {
  int64_t folded = 0;
  std::vector<Node> kept;
  kept.reserve(graph.nodes.size());
  const std::vector<bool> weights = FindBf16Weights(graph);
  for (Node& node : graph.nodes) {
    if (folded > 0) TRY(InferNode(graph, node));
    const bool is_weight = !node.outputs.empty() && node.outputs[0] != kNoValue &&
                           weights[static_cast<size_t>(node.outputs[0])];
    if (!is_weight && MayFold(node) && HasConstantInputs(graph, node) && IsCheap(graph, node)) {
      ASSIGN_OR_RETURN(
          std::vector<Tensor> outputs,
          Compute(graph, node, std::min(context.options.fold_limit_bytes, context.fold_budget)));
      if (!outputs.empty()) {
        for (size_t i = 0; i < outputs.size(); ++i) {
          Value& value = graph.value(node.outputs[i]);
          context.fold_budget -= outputs[i].bytes();
          value.dtype = outputs[i].dtype();
          value.shape = outputs[i].shape();
          value.constant = std::move(outputs[i]);
        }
        ++folded;
        continue;
      }
    }
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  return folded;
}

}  // namespace intmill
