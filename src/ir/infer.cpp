// Shape inference node by node, and running single nodes by their reference.
#include "ir/infer.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "ir/op.h"

namespace intmill {
namespace {

// What an operator inferred is not trusted either: attributes from a file went into it.
Status CheckInferred(const Shape& shape, DType dtype) {
  Shape known = shape;
  std::ranges::replace(known, kDynamic, 1);
  const Status status = CheckShape(known, dtype == DType::kNone ? DType::kU8 : dtype);
  return status.ok() ? Ok() : Error(Code::kShape, status.message());
}

Result<std::vector<Value>> InferOutputs(const Graph& graph, const Node& node) {
  if (node.op == nullptr || node.op->infer == nullptr)
    return Error(Code::kInternal, Place(node), ": has no shape inference");
  const auto place = [&] { return Place(node); };
  std::vector<Value> outputs(node.outputs.size());
  InferContext context(graph, node, outputs);
  TRY(node.op->infer(context).At(place));
  for (const Value& output : outputs)
    if (output.shape) TRY(CheckInferred(*output.shape, output.dtype).At(place));
  return outputs;
}

// A graph of one node whose inputs are constants, which tells inference all that can be told.
// Outputs that the node leaves out are there, because references may write them.
Graph AsGraph(const Node& node, std::span<const Tensor* const> inputs) {
  Graph graph;
  Node alone = node;
  for (size_t i = 0; i < alone.inputs.size(); ++i) {
    const bool present = i < inputs.size() && inputs[i] != nullptr;
    alone.inputs[i] = present ? graph.AddConstant("in", *inputs[i]) : kNoValue;
  }
  for (ValueId& id : alone.outputs) id = graph.AddValue("out");
  graph.nodes.push_back(std::move(alone));
  return graph;
}

Status CheckStatic(const std::vector<Value>& outputs) {
  for (const Value& output : outputs) {
    if (!IsKnown(output.dtype)) return Error(Code::kInternal, "the type of an output is unknown");
    if (!output.shape || !IsStatic(*output.shape))
      return Error(Code::kShape, "the shape of an output is unknown: ",
                   output.shape ? ToString(*output.shape) : "no rank");
  }
  return Ok();
}

Result<std::vector<Tensor>> Allocate(const std::vector<Value>& outputs, int64_t max_bytes) {
  int64_t total = 0;
  for (const Value& output : outputs)
    if (!AddFits(total, NumBytes(*output.shape, output.dtype), &total) || total > max_bytes)
      return Error(Code::kOutOfMemory, "an output of shape ", ToString(*output.shape),
                   " exceeds the limit of ", max_bytes, " bytes");
  std::vector<Tensor> tensors;
  for (const Value& output : outputs) {
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Make(output.dtype, *output.shape));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

Status InferNode(Graph& graph, const Node& node) {
  ASSIGN_OR_RETURN(const std::vector<Value> outputs, InferOutputs(graph, node));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == kNoValue) continue;
    Value& value = graph.value(node.outputs[i]);
    value.dtype = outputs[i].dtype;
    value.shape = outputs[i].shape;
  }
  return Ok();
}

Status InferShapes(Graph& graph) {
  for (const Node& node : graph.nodes) TRY(InferNode(graph, node));
  return Ok();
}

Result<std::vector<Tensor>> EvaluateNode(const Graph&, const Node& node,
                                         std::span<const Tensor* const> inputs, int64_t max_bytes) {
  if (node.op == nullptr || node.op->reference == nullptr)
    return Error(Code::kUnsupported, Place(node), ": has no reference");
  const Graph alone = AsGraph(node, inputs);
  ASSIGN_OR_RETURN(const std::vector<Value> outputs, InferOutputs(alone, alone.nodes[0]));
  const auto place = [&] { return Place(node); };
  TRY(CheckStatic(outputs).At(place));
  ASSIGN_OR_RETURN(std::vector<Tensor> tensors, Allocate(outputs, max_bytes).At(place));
  TRY(node.op->reference({.node = node, .inputs = inputs, .outputs = tensors}).At(place));
  return tensors;
}

}  // namespace intmill
