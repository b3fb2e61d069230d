// GlobalAveragePool: the mean of each channel.
#include "ops/common/pool.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) { return InferPool(context, PoolArea::kWhole); }

Status Reference(const ReferenceArgs& args) {
  return AverageReference(args, PoolArea::kWhole, false);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  return LowerAveragePool(args, PoolArea::kWhole, false);
}

constexpr OpDef kOps[] = {{
    .name = "GlobalAveragePool",
    .layout = LayoutRule::kSpatial,
    .quant = QuantRule::kAllInputs,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> GlobalAveragePoolOps() { return kOps; }

}  // namespace intmill::ops
