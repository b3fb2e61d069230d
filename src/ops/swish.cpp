// Swish: x / (1 + e^-x), known as SiLU. ONNX has it from opset 24 on; files of older ones say
// Mul(x, Sigmoid(x)), which fuse_curves finds.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status CheckAlpha(const Node& node) {
  ASSIGN_OR_RETURN(const float alpha, node.attrs.Float("alpha", 1));
  if (alpha == 1) return Ok();
  return Error(Code::kUnsupported, "attribute 'alpha' is ", alpha, ", wanted 1");
}

Status Infer(InferContext& context) {
  TRY(CheckAlpha(context.node()));
  return InferSame(context);
}

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(args, [](double x) { return x / (1 + std::exp(-x)); });
}

constexpr OpDef kOps[] = {{
    .name = "Swish",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = PlainPostOp<PostOp::Kind::kSwish>,
    .infer = Infer,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kSwish>,
}};

}  // namespace

std::span<const OpDef> SwishOps() { return kOps; }

}  // namespace intmill::ops
