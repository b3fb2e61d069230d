// Erf: the error function.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return std::erf(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Erf",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kErf>,
}};

}  // namespace

std::span<const OpDef> ErfOps() { return kOps; }

}  // namespace intmill::ops
