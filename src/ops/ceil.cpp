// Ceil: the smallest integer not below x.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](float x) { return std::ceil(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Ceil",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kCeil>,
}};

}  // namespace

std::span<const OpDef> CeilOps() { return kOps; }

}  // namespace intmill::ops
