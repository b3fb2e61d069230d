// ArgMax and ArgMin: what they share.
#ifndef INTMILL_OPS_COMMON_ARG_REDUCE_H
#define INTMILL_OPS_COMMON_ARG_REDUCE_H

#include "ir/op.h"
#include "kernels/kernel.h"

namespace intmill::ops {

Status InferArgReduce(InferContext& context);
Status ArgReduceReference(const ReferenceArgs& args, bool is_max);
Result<std::unique_ptr<Kernel>> LowerArgReduce(const LowerArgs& args, bool is_max);

template <bool kIsMax>
Status ArgReduceReference(const ReferenceArgs& args) {
  return ArgReduceReference(args, kIsMax);
}
template <bool kIsMax>
Result<std::unique_ptr<Kernel>> LowerArgReduce(const LowerArgs& args) {
  return LowerArgReduce(args, kIsMax);
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_ARG_REDUCE_H
