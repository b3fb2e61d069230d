// ReduceMin: the smallest element over some dimensions.
#include <limits>

#include "ops/common/reduce.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return ForType<float, uint8_t, int8_t, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    using Limits = std::numeric_limits<T>;
    const T start = Limits::has_infinity ? Limits::infinity() : Limits::max();
    return ReduceTyped<T, T>(
        args, start, [](T a, T x) { return x < a ? x : a; }, [](T a, int64_t) { return a; });
  });
}

constexpr OpDef kOps[] = {{
    .name = "ReduceMin",
    .max_inputs = 2,
    .quant = QuantRule::kSameScale,
    .upgrade = UpgradeReduce,
    .infer = InferReduce,
    .reference = Reference,
    .lower = LowerReduce<native::Reduction::kMin>,
}};

}  // namespace

std::span<const OpDef> ReduceMinOps() { return kOps; }

}  // namespace intmill::ops
