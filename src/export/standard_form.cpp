// Upgrading on import keeps two things that newer opsets say otherwise: a Softmax over several
// dimensions at once, which they lack, and a Split that only its outputs count. Swish is of a newer
// opset than the one that is written. This file names the operators.
#include "export/standard_form.h"

#include <algorithm>
#include <string>
#include <utility>

#include "ir/op.h"

namespace intmill {
namespace {

constexpr const char* kFlattens = "flattens";

Status CheckValues(const Graph& graph) {
  for (const Value& value : graph.values)
    if (value.qparams != nullptr)
      return Error(Code::kInvalidArgument, "value '", value.name, "' was compiled to integers, ",
                   "and compiled graphs are not exported");
  return Ok();
}

Status CheckNode(const Node& node) {
  if (!node.op->domain.empty())
    return Error(Code::kUnsupported, "operators of domain '", node.op->domain,
                 "' have no ONNX form");
  if (!node.post_ops.empty())
    return Error(Code::kInvalidArgument, "has fused operators, and compiled graphs are not ",
                 "exported");
  return Ok();
}

// Of operators with any number of outputs none may be missing, or they would be counted wrong.
void NameAllOutputs(Graph& graph, size_t index) {
  if (graph.nodes[index].op->max_outputs != INT64_MAX) return;
  for (size_t i = 0; i < graph.nodes[index].outputs.size(); ++i) {
    ValueId& id = graph.nodes[index].outputs[i];
    if (id == kNoValue) id = graph.AddValue(Cat(graph.nodes[index].name, "_unused"));
  }
}

// Opset 18 wants the number of equal parts, which until then was the number of outputs.
void CountParts(Node& split) {
  const bool has_lengths = split.inputs.size() > 1 && split.inputs[1] != kNoValue;
  if (has_lengths || split.attrs.Has("num_outputs")) return;
  split.attrs.Set("num_outputs", static_cast<int64_t>(split.outputs.size()));
}

// Whether the dimensions behind the axis are all 1, so that flattening them changes nothing.
bool EndsAtAxis(const std::optional<Shape>& shape, int64_t axis) {
  if (!shape) return false;
  const auto rank = static_cast<int64_t>(shape->size());
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return false;
  return std::all_of(shape->begin() + axis + 1, shape->end(), [](int64_t d) { return d == 1; });
}

// Softmax over all dimensions from the axis on, as before opset 13:
// y = Reshape(Softmax(Flatten(x)), Shape(x)), where the flat one has two dimensions.
Status Unflatten(Graph& graph, size_t index) {
  Node& node = graph.nodes[index];
  ASSIGN_OR_RETURN(const int64_t flattens, node.attrs.Int(kFlattens, 0));
  node.attrs.Remove(kFlattens);
  if (flattens == 0) return Ok();
  ASSIGN_OR_RETURN(const int64_t axis, node.attrs.Int("axis", 1));
  const ValueId x = node.inputs[0];
  const ValueId y = node.outputs[0];
  if (EndsAtAxis(graph.value(x).shape, axis)) return Ok();

  const std::string name = node.name;
  const ValueId flat = graph.AddValue(name + "_flat", graph.value(x).dtype);
  const ValueId result = graph.AddValue(name + "_flat_result", graph.value(x).dtype);
  const ValueId shape = graph.AddValue(name + "_shape", DType::kS64);
  node.attrs.Set("axis", int64_t{-1});
  node.inputs[0] = flat;
  node.outputs[0] = result;
  // `node` may not be used from here on: adding nodes moves it.
  graph.AddNode(name + "_flatten", FindOp("Flatten"), {x}, {flat}).attrs.Set("axis", axis);
  graph.AddNode(name + "_shape", FindOp("Shape"), {x}, {shape});
  graph.AddNode(name + "_reshape", FindOp("Reshape"), {result, shape}, {y})
      .attrs.Set("allowzero", int64_t{1});
  return Ok();
}

// y = x * Sigmoid(x)
void ExpandSwish(Graph& graph, size_t index) {
  Node& node = graph.nodes[index];
  const ValueId x = node.inputs[0];
  const ValueId gate = graph.AddValue(node.name + "_gate", graph.value(x).dtype);
  node.op = FindOp("Mul");
  node.attrs = {};
  node.inputs = {x, gate};
  const std::string name = node.name;
  graph.AddNode(name + "_sigmoid", FindOp("Sigmoid"), {x}, {gate});
}

}  // namespace

Result<Graph> ToStandardForm(Graph graph) {
  TRY(CheckValues(graph));
  const OpDef* const split = FindOp("Split");
  const OpDef* const swish = FindOp("Swish");
  const OpDef* const softmax = FindOp("Softmax");
  const OpDef* const log_softmax = FindOp("LogSoftmax");
  const size_t count = graph.nodes.size();
  for (size_t i = 0; i < count; ++i) {
    // No reference to the node: what is expanded adds others, which moves it.
    const OpDef* const op = graph.nodes[i].op;
    const std::string place = Place(graph.nodes[i]);
    TRY(CheckNode(graph.nodes[i]).At(place));
    NameAllOutputs(graph, i);
    if (op == split) CountParts(graph.nodes[i]);
    if (op == swish) ExpandSwish(graph, i);
    if (op == softmax || op == log_softmax) TRY(Unflatten(graph, i).At(place));
  }
  TRY(SortTopologically(graph));
  return graph;
}

}  // namespace intmill
