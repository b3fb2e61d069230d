// ArgMax: where along an axis the largest element is.
#include "ops/common/arg_reduce.h"

namespace intmill::ops {
namespace {

constexpr OpDef kOps[] = {{
    .name = "ArgMax",
    .infer = InferArgReduce,
    .reference = ArgReduceReference<true>,
    .lower = LowerArgReduce<true>,
}};

}  // namespace

std::span<const OpDef> ArgMaxOps() { return kOps; }

}  // namespace intmill::ops
