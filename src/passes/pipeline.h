// The named rewrites and the two orders in which they run: when a model is loaded, and when it is
// compiled for concrete input shapes.
#ifndef INTMILL_PASSES_PIPELINE_H
#define INTMILL_PASSES_PIPELINE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

struct PassOptions {
  // Names; "all": every pass but those without which plans cannot be made. An unknown name is
  // kInvalidArgument.
  std::vector<std::string> disabled;
  int64_t fold_limit_bytes = int64_t{64} << 20;  // largest constant that folding may create
  bool bf16_products = false;  // whether the machine has kernels for what fold_bf16 makes
  Hooks hooks;
};

struct PassTime {
  std::string_view name;
  double microseconds = 0;
  int64_t changes = 0;
};

// Names of all passes, in the order in which they first run.
std::vector<std::string_view> PassNames();

// Meaning-preserving clean-up that leaves plain ONNX operators: fold_constants, fold_shapes,
// remove_identity, fuse_pad, fuse_batch_norm, fuse_bias, prune. The edges are verified after each
// pass that changed them, names at the end. Times, when asked for, have one row a pass.
Status RunLoadPasses(Graph& graph, const PassOptions& options,
                     std::vector<PassTime>* times = nullptr);

// A copy with every input shape fixed, all shapes inferred, shape expressions folded, rows that
// nobody reads left out, activations and residual adds fused as post-ops, and DQ -> op -> Q folded
// to integer operators (fold_qdq), products of BF16 to operators on BF16 (fold_bf16).
Result<Graph> Specialize(const Graph& graph, std::span<const Shape> input_shapes,
                         const PassOptions& options, std::vector<PassTime>* times = nullptr);

}  // namespace intmill

#endif  // INTMILL_PASSES_PIPELINE_H
