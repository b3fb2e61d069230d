// fuse_residual_add: Conv -> Add(other) becomes a Conv that adds `other` before it writes. This
// file names Add, the one operator whose meaning is the post-op's.
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

bool SameKind(const Value& a, const Value& b) {
  return a.dtype == DType::kF32 && b.dtype == DType::kF32 && a.shape && a.shape == b.shape &&
         IsStatic(*a.shape);
}

// The producer of `id` when it is a weighted node that nothing but `add` reads.
int32_t FusableProducer(Edges& edges, int32_t add, ValueId id) {
  const int32_t producer = edges.Producer(id);
  if (producer == Uses::kNone || edges.SoleReader(id) != add) return Uses::kNone;
  const Node& node = edges.node(producer);
  return node.op->quant == QuantRule::kWeighted && node.outputs.size() == 1 ? producer
                                                                            : Uses::kNone;
}

// The producer takes the place of the add, where everything that either reads exists.
void Fuse(Edges& edges, int32_t producer, int32_t add_index, ValueId other) {
  Node node = std::move(edges.node(producer));
  Node& add = edges.node(add_index);
  const auto own_inputs = static_cast<size_t>(node.op->max_inputs);
  if (node.inputs.size() < own_inputs) node.inputs.resize(own_inputs, kNoValue);
  node.post_ops.push_back(
      {.kind = PostOp::Kind::kAdd, .input = static_cast<int64_t>(node.inputs.size())});
  node.inputs.push_back(other);
  node.post_ops.insert(node.post_ops.end(), add.post_ops.begin(), add.post_ops.end());
  node.outputs = add.outputs;
  add = std::move(node);
  edges.Kill(producer);
}

}  // namespace

Result<int64_t> FuseResidualAdd(Graph& graph, PassContext&) {
  Edges edges(graph);
  int64_t fused = 0;
  const OpDef* add_op = FindOp("Add");
  for (int32_t i = 0; i < static_cast<int32_t>(graph.nodes.size()); ++i) {
    const Node& add = edges.node(i);
    if (add.op != add_op) continue;
    const ValueId a = add.inputs[0];
    const ValueId b = add.inputs[1];
    if (a == b || !SameKind(graph.value(a), graph.value(b))) continue;
    const int32_t from_a = FusableProducer(edges, i, a);
    const int32_t from_b = FusableProducer(edges, i, b);
    if (from_a == Uses::kNone && from_b == Uses::kNone) continue;
    // The later producer moves less, and its input is the shorter-lived one.
    const bool take_a = from_a > from_b;
    Fuse(edges, take_a ? from_a : from_b, i, take_a ? b : a);
    ++fused;
  }
  edges.Sweep();
  return fused;
}

}  // namespace intmill
