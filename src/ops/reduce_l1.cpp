// ReduceL1: the sum of magnitudes over some dimensions.
#include <cmath>

#include "ops/common/reduce.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  if (args.in(0).dtype() != DType::kF32) return UnsupportedType(args.in(0).dtype());
  return ReduceTyped<float, double>(
      args, 0.0, [](double sum, double x) { return sum + std::fabs(x); },
      [](double sum, int64_t) { return sum; });
}

constexpr OpDef kOps[] = {{
    .name = "ReduceL1",
    .max_inputs = 2,
    .quant = QuantRule::kFloat,
    .upgrade = UpgradeReduce,
    .infer = InferReduce,
    .reference = Reference,
    .lower = LowerReduce<native::Reduction::kL1>,
}};

}  // namespace

std::span<const OpDef> ReduceL1Ops() { return kOps; }

}  // namespace intmill::ops
