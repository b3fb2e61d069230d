// Small float graphs by hand, for the tests of layers, placement and Q/DQ.
#ifndef INTMILL_TESTS_UNIT_QUANT_GRAPHS_H
#define INTMILL_TESTS_UNIT_QUANT_GRAPHS_H

#include <algorithm>
#include <criterion/criterion.h>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "unit/quant/data.h"

// Nodes are named after their result: Node("Relu", {x}, "y") is node "y" (Relu) making value "y".
class GraphMaker {
 public:
  intmill::ValueId Input(std::string_view name, intmill::Shape shape) {
    const intmill::ValueId id = graph.AddValue(name, intmill::DType::kF32, std::move(shape));
    graph.inputs.push_back(id);
    return id;
  }

  intmill::ValueId Constant(std::string_view name, intmill::Shape shape,
                            const std::vector<float>& values) {
    intmill::Tensor tensor = *intmill::Tensor::Make(intmill::DType::kF32, std::move(shape));
    cr_assert_eq(tensor.elements(), static_cast<int64_t>(values.size()));
    std::copy(values.begin(), values.end(), tensor.mutable_data<float>());
    return graph.AddConstant(name, std::move(tensor));
  }
  intmill::ValueId Ints(std::string_view name, const std::vector<int64_t>& values) {
    return graph.AddConstant(name, *intmill::Tensor::Of(std::span<const int64_t>(values)));
  }
  intmill::ValueId Random(std::string_view name, intmill::Shape shape, unsigned seed) {
    const int64_t n = intmill::NumElements(shape);
    return Constant(name, std::move(shape), Normal(static_cast<int>(n), seed, 0.5f));
  }

  intmill::ValueId Node(std::string_view op, std::vector<intmill::ValueId> inputs,
                        std::string_view result) {
    const intmill::ValueId id = graph.AddValue(result);
    intmill::Node& node = graph.AddNode(result, Op(op), std::move(inputs), {id});
    const intmill::Status inferred = intmill::InferNode(graph, node);
    cr_assert(inferred.ok(), "%s", inferred.message().c_str());
    return id;
  }

  static const intmill::OpDef* Op(std::string_view name) {
    const intmill::OpDef* def = intmill::FindOp(name);
    if (def == nullptr) cr_skip_test("operator %s is not in this build", std::string(name).c_str());
    return def;
  }

  // A 1x1 convolution of `channels` to as many, with weights <name>_w and bias <name>_b.
  intmill::ValueId Conv(intmill::ValueId x, int64_t channels, std::string name) {
    const unsigned seed = static_cast<unsigned>(graph.nodes.size());
    const intmill::ValueId w = Random(name + "_w", {channels, channels, 1, 1}, seed);
    const intmill::ValueId b = Random(name + "_b", {channels}, seed + 1000);
    return Node("Conv", {x, w, b}, name);
  }

  void Output(intmill::ValueId id) { graph.outputs.push_back(id); }

  // The index of a node by name.
  size_t Find(std::string_view name) const {
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      if (graph.nodes[i].name == name) return i;
    cr_assert(false, "no node %s", std::string(name).c_str());
    return 0;
  }

  intmill::Graph graph;
};

#endif  // INTMILL_TESTS_UNIT_QUANT_GRAPHS_H
