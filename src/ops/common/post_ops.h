// The post-ops that elementwise kernels can do: anything that is a clamp.
#ifndef INTMILL_OPS_COMMON_POST_OPS_H
#define INTMILL_OPS_COMMON_POST_OPS_H

#include <limits>

#include "ir/op.h"

namespace intmill::ops {

struct Clamp {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

// Relu and Clip as one clamp; kUnsupported, by name, for any other post-op.
Result<Clamp> ClampOfPostOps(const Node& node);
// kUnsupported when the node has post-ops.
Status RefusePostOps(const Node& node);

// The name of a post-op for messages: "Relu".
const char* PostOpName(PostOp::Kind kind);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_POST_OPS_H
