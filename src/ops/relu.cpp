// Relu: y = max(0, x).
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  // NaN stays NaN, as a comparison with it is false.
  return UnaryReference<float, int8_t, int32_t, int64_t>(
      args, [](auto x) { return x < 0 ? decltype(x){0} : x; });
}

constexpr OpDef kOps[] = {{
    .name = "Relu",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = PlainPostOp<PostOp::Kind::kRelu>,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kRelu>,
}};

}  // namespace

std::span<const OpDef> ReluOps() { return kOps; }

}  // namespace intmill::ops
