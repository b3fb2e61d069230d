// Tanh: hyperbolic tangent.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

// The output lies in -1..1, which 256 steps cover whatever the data.
Result<QParams> FixedOutput(const Node&, DType dtype) {
  return QParams{
      .dtype = dtype, .scales = {1.0f / 128}, .zero_points = {dtype == DType::kU8 ? 128 : 0}};
}

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return std::tanh(x); });
}

constexpr OpDef kOps[] = {{
    .name = "Tanh",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .fixed_output = FixedOutput,
    .post_op = PlainPostOp<PostOp::Kind::kTanh>,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kTanh>,
}};

}  // namespace

std::span<const OpDef> TanhOps() { return kOps; }

}  // namespace intmill::ops
