// fuse_activations: an activation becomes a post-op of the node that makes its only input.
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "passes/post_op.h"

namespace intmill {
namespace {

bool Writes(const Graph& graph, const Node& node, DType dtype) {
  return node.outputs.size() == 1 && graph.value(node.outputs[0]).dtype == dtype;
}

}  // namespace

Result<int64_t> FuseActivations(Graph& graph, PassContext&) {
  Edges edges(graph);
  int64_t fused = 0;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.nodes.size()); ++i) {
    Node& activation = edges.node(i);
    if (!activation.op->Has(kActivation) || activation.op->post_op == nullptr) continue;
    const ValueId input = activation.inputs[0];
    const int32_t producer = edges.Producer(input);
    if (producer == Uses::kNone || edges.SoleReader(input) != i) continue;
    Result<PostOp> post_op = activation.op->post_op(graph, activation);
    if (!post_op.ok() && post_op.status().code() == Code::kUnsupported) continue;
    if (!post_op.ok()) return std::move(post_op).status().At(Place(activation));
    const Node& computing = edges.node(producer);
    if (!TakesPostOp(*computing.op, *post_op) || !Writes(graph, computing, DType::kF32)) continue;
    edges.node(producer).post_ops.push_back(*post_op);
    edges.node(producer).outputs[0] = activation.outputs[0];
    edges.SetProducer(activation.outputs[0], producer);
    edges.Kill(i);
    ++fused;
  }
  edges.Sweep();
  return fused;
}

}  // namespace intmill
