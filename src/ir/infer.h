// Shape inference over a whole graph, and the structural checks that follow every rewrite.
#ifndef INTMILL_IR_INFER_H
#define INTMILL_IR_INFER_H

#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// Runs OpDef::infer on every node in order. Errors name the node.
Status InferShapes(Graph& graph);
// The same for one node.
Status InferNode(Graph& graph, const Node& node);

// Unique names, and what VerifyEdges checks.
Status VerifyGraph(const Graph& graph);
// Ids in range, arity, one producer per value, topological order, no missing input.
Status VerifyEdges(const Graph& graph);

// Runs a node's reference on concrete tensors: infers, allocates, computes. Absent inputs are null.
// `max_bytes` bounds the outputs together (a constant-folding bomb is refused, kOutOfMemory).
Result<std::vector<Tensor>> EvaluateNode(const Graph& graph, const Node& node,
                                         std::span<const Tensor* const> inputs, int64_t max_bytes);

}  // namespace intmill

#endif  // INTMILL_IR_INFER_H
