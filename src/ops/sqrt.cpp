// Sqrt: square root.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return std::sqrt(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Sqrt",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kSqrt>,
}};

}  // namespace

std::span<const OpDef> SqrtOps() { return kOps; }

}  // namespace intmill::ops
