// fold_dequantize: what fold_qdq and fold_bf16 left in float reads its constants of integers and
// BF16 in float, converted once instead of in each run. For compiled graphs only: a file keeps what
// is smaller.
#include <algorithm>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

bool IsKnown(const Graph& graph, ValueId id) {
  return id == kNoValue || graph.ConstantOf(id) != nullptr;
}

}  // namespace

Result<int64_t> FoldDequantize(Graph& graph, PassContext&) {
  Edges edges(graph);
  int64_t folded = 0;
  for (int32_t i = 0; i < edges.size(); ++i) {
    const Node& node = edges.node(i);
    const bool is_wider = IsCast(graph, node, DType::kBf16, DType::kF32);
    if ((!node.op->Has(kDequantize) && !is_wider) || node.outputs.size() != 1) continue;
    if (!std::ranges::all_of(node.inputs, [&](ValueId id) { return IsKnown(graph, id); })) continue;
    std::vector<const Tensor*> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(graph.ConstantOf(id));
    ASSIGN_OR_RETURN(std::vector<Tensor> real, EvaluateNode(graph, node, inputs, kMaxBytes));
    graph.value(node.outputs[0]).constant = std::move(real.front());
    edges.Kill(i);
    ++folded;
  }
  edges.Sweep();
  return folded;
}

}  // namespace intmill
