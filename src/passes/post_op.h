// Which operators take which activations as post-ops: asked by the fusions, and by whoever must
// know beforehand what they will do.
#ifndef INTMILL_PASSES_POST_OP_H
#define INTMILL_PASSES_POST_OP_H

#include "ir/op.h"

namespace intmill {

// Operators that sum products have any activation in their last step; elementwise ones can clamp,
// which is all that they have a use for in integers.
inline bool TakesPostOp(const OpDef& op, const PostOp& post_op) {
  const bool is_clamp = post_op.kind == PostOp::Kind::kRelu || post_op.kind == PostOp::Kind::kClip;
  return op.quant == QuantRule::kWeighted ||
         (op.quant == QuantRule::kAllInputs && op.Has(kElementwise) && is_clamp);
}

}  // namespace intmill

#endif  // INTMILL_PASSES_POST_OP_H
