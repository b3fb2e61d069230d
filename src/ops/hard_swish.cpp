// HardSwish: x max(0, min(1, x / 6 + 1 / 2)).
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](float x) {
    const float gate = (1.0f / 6.0f) * x + 0.5f;
    return x * (gate < 0 ? 0.0f : gate > 1 ? 1.0f : gate);
  });
}

constexpr OpDef kOps[] = {{
    .name = "HardSwish",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = PlainPostOp<PostOp::Kind::kHardSwish>,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kHardSwish>,
}};

}  // namespace

std::span<const OpDef> HardSwishOps() { return kOps; }

}  // namespace intmill::ops
