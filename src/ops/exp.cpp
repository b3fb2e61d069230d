// Exp: e to the power of x.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return std::exp(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Exp",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kExp>,
}};

}  // namespace

std::span<const OpDef> ExpOps() { return kOps; }

}  // namespace intmill::ops
