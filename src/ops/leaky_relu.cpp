// LeakyRelu: alpha x below zero, x above.
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Result<float> Alpha(const Node& node) { return node.attrs.Float("alpha", 0.01f); }

Status Infer(InferContext& context) {
  TRY(Alpha(context.node()).status());
  return InferSame(context);
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(args.node));
  return UnaryReference<float>(args, [=](float x) { return x < 0 ? alpha * x : x; });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(args.node));
  return LowerUnary(args, {.function = native::UnaryFunction::kLeakyRelu, .alpha = alpha});
}

Result<PostOp> AsPostOp(const Graph&, const Node& node) {
  ASSIGN_OR_RETURN(const float alpha, Alpha(node));
  return PostOp{.kind = PostOp::Kind::kLeakyRelu, .alpha = alpha};
}

constexpr OpDef kOps[] = {{
    .name = "LeakyRelu",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = AsPostOp,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> LeakyReluOps() { return kOps; }

}  // namespace intmill::ops
