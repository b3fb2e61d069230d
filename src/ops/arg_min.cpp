// ArgMin: where along an axis the smallest element is.
#include "ops/common/arg_reduce.h"

namespace intmill::ops {
namespace {

constexpr OpDef kOps[] = {{
    .name = "ArgMin",
    .infer = InferArgReduce,
    .reference = ArgReduceReference<false>,
    .lower = LowerArgReduce<false>,
}};

}  // namespace

std::span<const OpDef> ArgMinOps() { return kOps; }

}  // namespace intmill::ops
