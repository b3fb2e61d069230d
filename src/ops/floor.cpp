// Floor: the largest integer not above x.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](float x) { return std::floor(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Floor",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kFloor>,
}};

}  // namespace

std::span<const OpDef> FloorOps() { return kOps; }

}  // namespace intmill::ops
