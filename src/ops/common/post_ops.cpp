// The post-ops that elementwise kernels can do: anything that is a clamp.
#include "ops/common/post_ops.h"

#include <algorithm>

namespace intmill::ops {

const char* PostOpName(PostOp::Kind kind) {
  switch (kind) {
    case PostOp::Kind::kRelu:
      return "Relu";
    case PostOp::Kind::kClip:
      return "Clip";
    case PostOp::Kind::kLeakyRelu:
      return "LeakyRelu";
    case PostOp::Kind::kSigmoid:
      return "Sigmoid";
    case PostOp::Kind::kTanh:
      return "Tanh";
    case PostOp::Kind::kElu:
      return "Elu";
    case PostOp::Kind::kHardSigmoid:
      return "HardSigmoid";
    case PostOp::Kind::kHardSwish:
      return "HardSwish";
    case PostOp::Kind::kGelu:
      return "Gelu";
    case PostOp::Kind::kSwish:
      return "Swish";
    case PostOp::Kind::kAdd:
      return "Add";
    case PostOp::Kind::kTable:
      return "table";
  }
  return "unknown";
}

Result<Clamp> ClampOfPostOps(const Node& node) {
  Clamp clamp;
  for (const PostOp& p : node.post_ops) {
    const bool is_relu = p.kind == PostOp::Kind::kRelu;
    if (!is_relu && p.kind != PostOp::Kind::kClip)
      return Error(Code::kUnsupported, "post-op ", PostOpName(p.kind));
    const float low = is_relu ? 0 : p.alpha;
    const float high = is_relu ? std::numeric_limits<float>::infinity() : p.beta;
    // clamp of a clamp, in this order: ONNX's Clip gives the upper bound when the bounds cross
    clamp.low = std::min(std::max(clamp.low, low), high);
    clamp.high = std::min(std::max(clamp.high, low), high);
  }
  return clamp;
}

Status RefusePostOps(const Node& node) {
  if (node.post_ops.empty()) return Ok();
  return Error(Code::kUnsupported, "post-op ", PostOpName(node.post_ops.front().kind));
}

}  // namespace intmill::ops
