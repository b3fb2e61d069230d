// Log: natural logarithm.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return std::log(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Log",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kLog>,
}};

}  // namespace

std::span<const OpDef> LogOps() { return kOps; }

}  // namespace intmill::ops
