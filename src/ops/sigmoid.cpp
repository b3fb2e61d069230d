// Sigmoid: 1 / (1 + e^-x).
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

// The output lies in 0..1, which 256 steps cover whatever the data.
Result<QParams> FixedOutput(const Node&, DType dtype) {
  return QParams{
      .dtype = dtype, .scales = {1.0f / 256}, .zero_points = {dtype == DType::kU8 ? 0 : -128}};
}

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return 1 / (1 + std::exp(-x)); });
}

constexpr OpDef kOps[] = {{
    .name = "Sigmoid",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .fixed_output = FixedOutput,
    .post_op = PlainPostOp<PostOp::Kind::kSigmoid>,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kSigmoid>,
}};

}  // namespace

std::span<const OpDef> SigmoidOps() { return kOps; }

}  // namespace intmill::ops
