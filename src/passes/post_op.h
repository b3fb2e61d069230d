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

// Functions that cost more, number by number, than looking them up in a table does: between 8-bit
// numbers they stand better on their own.
inline bool IsCurve(const PostOp& post_op) {
  switch (post_op.kind) {
    case PostOp::Kind::kSigmoid:
    case PostOp::Kind::kTanh:
    case PostOp::Kind::kElu:
    case PostOp::Kind::kGelu:
    case PostOp::Kind::kSwish:
      return true;
    default:
      return false;
  }
}

}  // namespace intmill

#endif  // INTMILL_PASSES_POST_OP_H
