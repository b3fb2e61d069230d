// Reciprocal: 1 / x.
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](float x) { return 1.0f / x; });
}

constexpr OpDef kOps[] = {{
    .name = "Reciprocal",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kReciprocal>,
}};

}  // namespace

std::span<const OpDef> ReciprocalOps() { return kOps; }

}  // namespace intmill::ops
