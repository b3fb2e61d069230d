// Round: the nearest integer, halves to the even one.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](float x) { return std::rint(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Round",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kRound>,
}};

}  // namespace

std::span<const OpDef> RoundOps() { return kOps; }

}  // namespace intmill::ops
