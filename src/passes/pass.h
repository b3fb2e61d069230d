// A pass: one named rewrite that keeps what the graph means.
#ifndef INTMILL_PASSES_PASS_H
#define INTMILL_PASSES_PASS_H

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "ir/graph.h"
#include "passes/pipeline.h"

namespace intmill {

// What the passes of one run share.
struct PassContext {
  const PassOptions& options;
  // Bytes that folded constants may still take together, whatever the limit of one: a model of
  // nested Tiles must not fill memory.
  int64_t fold_budget = 0;
};

struct Pass {
  std::string_view name;
  // How many rewrites it did. Finds shapes inferred and leaves the graph in topological order; dead
  // nodes may stay.
  Result<int64_t> (*run)(Graph& graph, PassContext& context) = nullptr;
  bool keeps_shapes = false;  // makes no values: those that it leaves are what they were
};

// Each is defined in the file of its name.
Result<int64_t> FlattenMatMul(Graph& graph, PassContext& context);
Result<int64_t> FoldBf16(Graph& graph, PassContext& context);
Result<int64_t> FoldConstants(Graph& graph, PassContext& context);
Result<int64_t> FoldDequantize(Graph& graph, PassContext& context);
Result<int64_t> FoldDynamic(Graph& graph, PassContext& context);
Result<int64_t> FoldQdq(Graph& graph, PassContext& context);
Result<int64_t> FoldShapes(Graph& graph, PassContext& context);
Result<int64_t> FoldWeightOnly(Graph& graph, PassContext& context);
Result<int64_t> FuseActivations(Graph& graph, PassContext& context);
Result<int64_t> FuseAttention(Graph& graph, PassContext& context);
Result<int64_t> FuseBatchNorm(Graph& graph, PassContext& context);
Result<int64_t> FuseBias(Graph& graph, PassContext& context);
Result<int64_t> FuseCurves(Graph& graph, PassContext& context);
Result<int64_t> FuseLayerNorm(Graph& graph, PassContext& context);
Result<int64_t> FusePad(Graph& graph, PassContext& context);
Result<int64_t> FuseQuantize(Graph& graph, PassContext& context);
Result<int64_t> FuseResidualAdd(Graph& graph, PassContext& context);
Result<int64_t> FuseSoftmax(Graph& graph, PassContext& context);
Result<int64_t> FuseTable(Graph& graph, PassContext& context);
Result<int64_t> MoveQdq(Graph& graph, PassContext& context);
Result<int64_t> PullSelection(Graph& graph, PassContext& context);
Result<int64_t> RemoveIdentity(Graph& graph, PassContext& context);
Result<int64_t> SplitInt16(Graph& graph, PassContext& context);

}  // namespace intmill

#endif  // INTMILL_PASSES_PASS_H
