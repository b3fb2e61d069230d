// Building small graphs in tests, and running any graph node by node with references.
#ifndef INTMILL_TESTS_SUPPORT_GRAPHS_H
#define INTMILL_TESTS_SUPPORT_GRAPHS_H

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/post_ops.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "tensor/half.h"
#include "tensor/quantize.h"

namespace intmill::test {

// Evenly spread over [low, high), the same for the same seed.
inline Tensor RandomTensor(const Shape& shape, uint32_t seed, float low = -1, float high = 1) {
  std::mt19937 random(seed);
  Tensor t = *Tensor::Make(DType::kF32, shape);
  for (int64_t i = 0; i < t.elements(); ++i)
    t.mutable_data<float>()[i] =
        low + (high - low) * static_cast<float>(random() >> 8) / static_cast<float>(1 << 24);
  return t;
}

template <typename T>
Tensor TensorOf(const Shape& shape, const std::vector<T>& values) {
  Tensor t = *Tensor::Make(DTypeOfType<T>::value, shape);
  std::ranges::copy(values, t.mutable_data<T>());
  return t;
}

// Adds nodes one after the other; each call returns the value made.
class GraphBuilder {
 public:
  ValueId Input(const std::string& name, Shape shape, DType dtype = DType::kF32) {
    graph.inputs.push_back(graph.AddValue(name, dtype, std::move(shape)));
    return graph.inputs.back();
  }
  ValueId Constant(Tensor tensor) { return graph.AddConstant("constant", std::move(tensor)); }
  ValueId Ints(const std::vector<int64_t>& values) {
    return Constant(TensorOf<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId Float(float value) { return Constant(*Tensor::Scalar(value)); }

  ValueId Op(const std::string& op, std::vector<ValueId> inputs, Attributes attrs = {}) {
    const OpDef* def = FindOp(op);
    if (def == nullptr) std::abort();
    const ValueId out = graph.AddValue(op);
    graph.AddNode(op, def, std::move(inputs), {out}).attrs = std::move(attrs);
    return out;
  }
  // Scale and zero point for a whole tensor; T is the integer type.
  template <typename T>
  ValueId Quantize(ValueId x, float scale, T zero_point) {
    return Op("QuantizeLinear", {x, Float(scale), Constant(TensorOf<T>({}, {zero_point}))});
  }
  template <typename T>
  ValueId Dequantize(ValueId x, float scale, T zero_point) {
    return Op("DequantizeLinear", {x, Float(scale), Constant(TensorOf<T>({}, {zero_point}))});
  }
  template <typename T>
  ValueId FakeQuantize(ValueId x, float scale, T zero_point) {
    return Dequantize<T>(Quantize<T>(x, scale, zero_point), scale, zero_point);
  }
  void Output(ValueId id) { graph.outputs.push_back(id); }

  Graph graph;
};

inline Attributes Attr(const std::string& name, Attribute value) {
  Attributes attrs;
  attrs.Set(name, std::move(value));
  return attrs;
}
inline Attributes With(Attributes attrs, const std::string& name, Attribute value) {
  attrs.Set(name, std::move(value));
  return attrs;
}

// How many nodes of that operator there are.
inline int64_t CountOps(const Graph& graph, std::string_view op) {
  return std::ranges::count_if(graph.nodes, [&](const Node& n) { return n.op->name == op; });
}

namespace internal {

// What the integers stand for, where they stand for real numbers; and BF16 of products.
inline Result<Tensor> AsReal(const Value& value, const Node& node, Tensor t) {
  if (t.dtype() == DType::kBf16 && node.op->multiply_adds != nullptr) return FromBf16(t);
  if (value.qparams == nullptr) return t;
  t.set_qparams(value.qparams);
  return Dequantize(t);
}

inline Result<std::vector<Tensor>> RunNode(const Graph& graph, const Node& node,
                                           const std::vector<Tensor>& values) {
  const bool is_integer_node =
      !node.op->Has(kQuantize) && !node.op->Has(kDequantize) && !node.op->Has(kMovesData);
  std::vector<Tensor> inputs;
  std::vector<const Tensor*> pointers;
  for (const ValueId id : node.inputs) {
    inputs.emplace_back();
    if (id == kNoValue) continue;
    inputs.back() = values[static_cast<size_t>(id)];
    if (is_integer_node) {
      ASSIGN_OR_RETURN(inputs.back(), AsReal(graph.value(id), node, inputs.back()));
    }
  }
  for (const Tensor& t : inputs) pointers.push_back(t.valid() ? &t : nullptr);
  Node plain = node;
  int64_t own = static_cast<int64_t>(node.inputs.size());
  for (const PostOp& op : node.post_ops)
    if (op.kind == PostOp::Kind::kAdd) own = std::min(own, op.input);
  plain.inputs.resize(static_cast<size_t>(own));
  ASSIGN_OR_RETURN(
      std::vector<Tensor> outputs,
      EvaluateNode(graph, plain, std::span(pointers).first(plain.inputs.size()), INT64_MAX));
  for (const PostOp& op : node.post_ops)
    ApplyPostOp(op, outputs[0].mutable_data<float>(), outputs[0].elements(),
                op.kind == PostOp::Kind::kAdd ? inputs[static_cast<size_t>(op.input)].data<float>()
                                              : nullptr);
  for (size_t i = 0; is_integer_node && i < outputs.size(); ++i) {
    if (graph.value(node.outputs[i]).dtype == DType::kBf16 && outputs[i].dtype() == DType::kF32) {
      ASSIGN_OR_RETURN(outputs[i], ToBf16(outputs[i]));
    }
    const QParamsPtr& q = graph.value(node.outputs[i]).qparams;
    if (q == nullptr) continue;
    ASSIGN_OR_RETURN(outputs[i], Quantize(outputs[i], *q));
    outputs[i].set_qparams(nullptr);
  }
  return outputs;
}

}  // namespace internal

// The outputs by definition: references in float, then post-ops, then rounding to the output's
// integers where it has some. Also of compiled graphs.
inline Result<std::vector<Tensor>> Interpret(const Graph& graph,
                                             const std::vector<Tensor>& inputs) {
  std::vector<Tensor> values(graph.values.size());
  for (size_t i = 0; i < graph.values.size(); ++i)
    if (graph.values[i].constant) values[i] = *graph.values[i].constant;
  for (size_t i = 0; i < inputs.size(); ++i)
    values[static_cast<size_t>(graph.inputs[i])] = inputs[i];
  for (const Node& node : graph.nodes) {
    ASSIGN_OR_RETURN(std::vector<Tensor> outputs, internal::RunNode(graph, node, values));
    for (size_t i = 0; i < node.outputs.size(); ++i)
      if (node.outputs[i] != kNoValue)
        values[static_cast<size_t>(node.outputs[i])] = std::move(outputs[i]);
  }
  std::vector<Tensor> results;
  for (const ValueId id : graph.outputs) results.push_back(values[static_cast<size_t>(id)]);
  return results;
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_GRAPHS_H
