// The Reduce operators: what they share, so that each file is its definition.
#ifndef INTMILL_OPS_COMMON_REDUCE_H
#define INTMILL_OPS_COMMON_REDUCE_H

#include <functional>

#include "ir/op.h"
#include "kernels/kernel.h"
#include "kernels/native/reduce.h"
#include "ops/common/types.h"

namespace intmill::ops {

// Axes became an input at opset 18, for ReduceSum at 13.
Status UpgradeReduce(Graph& graph, Node& node, int64_t opset);
Status InferReduce(InferContext& context);

// Which dimensions the node reduces; `axes` null: not there.
Result<std::vector<bool>> ReducedDims(const Node& node, int64_t rank, const Tensor* axes);

// Calls fn(output index, input index) for every element of the input in order.
void ForReduced(const Shape& shape, const std::vector<bool>& reduced,
                const std::function<void(int64_t, int64_t)>& fn);

// out = finish(join of all elements, their count), from `start`, in the accumulator A.
template <typename T, typename A, typename Join, typename Finish>
Status ReduceTyped(const ReferenceArgs& args, A start, Join join, Finish finish) {
  const Tensor& x = args.in(0);
  ASSIGN_OR_RETURN(const std::vector<bool> reduced,
                   ReducedDims(args.node, x.rank(), args.has(1) ? &args.in(1) : nullptr));
  Tensor& out = args.out(0);
  std::vector<A> sums(static_cast<size_t>(out.elements()), start);
  ForReduced(x.shape(), reduced, [&](int64_t to, int64_t from) {
    A& sum = sums[static_cast<size_t>(to)];
    sum = join(sum, static_cast<A>(x.data<T>()[from]));
  });
  const int64_t n = out.elements() == 0 ? 0 : x.elements() / out.elements();
  for (int64_t i = 0; i < out.elements(); ++i)
    out.mutable_data<T>()[i] = static_cast<T>(finish(sums[static_cast<size_t>(i)], n));
  return Ok();
}

Result<std::unique_ptr<Kernel>> LowerReduce(const LowerArgs& args, native::Reduction reduction);
template <native::Reduction kReduction>
Result<std::unique_ptr<Kernel>> LowerReduce(const LowerArgs& args) {
  return LowerReduce(args, kReduction);
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_REDUCE_H
