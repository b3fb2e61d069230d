// HardSigmoid: max(0, min(1, alpha x + beta)).
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

struct Line {
  float slope = 0;
  float offset = 0;
};

Result<Line> LineOf(const Node& node) {
  Line line;
  ASSIGN_OR_RETURN(line.slope, node.attrs.Float("alpha", 0.2f));
  ASSIGN_OR_RETURN(line.offset, node.attrs.Float("beta", 0.5f));
  return line;
}

Status Infer(InferContext& context) {
  TRY(LineOf(context.node()).status());
  return InferSame(context);
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Line line, LineOf(args.node));
  return UnaryReference<float>(args, [=](float x) {
    const float y = line.slope * x + line.offset;
    return y < 0 ? 0.0f : y > 1 ? 1.0f : y;
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const Line line, LineOf(args.node));
  return LowerUnary(
      args,
      {.function = native::UnaryFunction::kHardSigmoid, .alpha = line.slope, .beta = line.offset});
}

Result<PostOp> AsPostOp(const Graph&, const Node& node) {
  ASSIGN_OR_RETURN(const Line line, LineOf(node));
  return PostOp{.kind = PostOp::Kind::kHardSigmoid, .alpha = line.slope, .beta = line.offset};
}

constexpr OpDef kOps[] = {{
    .name = "HardSigmoid",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = AsPostOp,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> HardSigmoidOps() { return kOps; }

}  // namespace intmill::ops
