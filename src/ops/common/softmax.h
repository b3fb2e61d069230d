// Softmax and LogSoftmax: what they share.
#ifndef INTMILL_OPS_COMMON_SOFTMAX_H
#define INTMILL_OPS_COMMON_SOFTMAX_H

#include "ir/op.h"
#include "kernels/kernel.h"

namespace intmill::ops {

// Before opset 13 all dimensions from the axis on were one, and the axis was 1 when not said. The
// attribute "flattens", which ONNX does not have, keeps that meaning.
Status UpgradeSoftmax(Graph& graph, Node& node, int64_t opset);
// MaskedSoftmax has an attribute "scale", and may have a second input, the mask, which stretches to
// x, but not along the last axis.
Status InferSoftmax(InferContext& context);

// The tensor as `outer` blocks of `count` elements, `inner` apart, that are normalized together.
struct SoftmaxBlocks {
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;
};
Result<SoftmaxBlocks> SoftmaxBlocksOf(const Node& node, const Shape& x);

Status SoftmaxReference(const ReferenceArgs& args, bool is_log);
Result<std::unique_ptr<Kernel>> LowerSoftmax(const LowerArgs& args, bool is_log);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_SOFTMAX_H
