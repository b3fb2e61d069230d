// Elu: alpha (e^x - 1) below zero, x above.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Result<float> Alpha(const Node& node) { return node.attrs.Float("alpha", 1.0f); }

Status Infer(InferContext& context) {
  TRY(Alpha(context.node()).status());
  return InferSame(context);
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(args.node));
  return UnaryReference<float>(args, [=](double x) { return x < 0 ? alpha * std::expm1(x) : x; });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(args.node));
  return LowerUnary(args, {.function = native::UnaryFunction::kElu, .alpha = alpha});
}

Result<PostOp> AsPostOp(const Graph&, const Node& node) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(node));
  return PostOp{.kind = PostOp::Kind::kElu, .alpha = alpha};
}

constexpr OpDef kOps[] = {{
    .name = "Elu",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = AsPostOp,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> EluOps() { return kOps; }

}  // namespace intmill::ops
