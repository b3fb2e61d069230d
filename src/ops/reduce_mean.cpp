// ReduceMean: the mean over some dimensions.
#include "ops/common/reduce.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  if (args.in(0).dtype() != DType::kF32) return UnsupportedType(args.in(0).dtype());
  return ReduceTyped<float, double>(
      args, 0.0, [](double sum, double x) { return sum + x; },
      [](double sum, int64_t n) { return sum / static_cast<double>(n); });
}

constexpr OpDef kOps[] = {{
    .name = "ReduceMean",
    .max_inputs = 2,
    .quant = QuantRule::kAllInputs,
    .upgrade = UpgradeReduce,
    .infer = InferReduce,
    .reference = Reference,
    .lower = LowerReduce<native::Reduction::kMean>,
}};

}  // namespace

std::span<const OpDef> ReduceMeanOps() { return kOps; }

}  // namespace intmill::ops
