// Gelu: x times the normal distribution function, exact or through tanh.
#include <cmath>
#include <numbers>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Result<bool> IsThroughTanh(const Node& node) {
  const Result<std::string> how = node.attrs.String("approximate", "none");
  TRY(how.status());
  if (*how == "none" || *how == "tanh") return *how == "tanh";
  return Error(Code::kInvalidArgument, "attribute 'approximate' is '", *how,
               "', wanted none or tanh");
}

Status Infer(InferContext& context) {
  TRY(IsThroughTanh(context.node()).status());
  return InferSame(context);
}

// 1/2 x (1 + erf(x / sqrt(2)))
double Exact(double x) { return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2)); }

// 1/2 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
double ThroughTanh(double x) {
  const double slope = std::sqrt(2 * std::numbers::inv_pi);
  return 0.5 * x * (1 + std::tanh(slope * (x + 0.044715 * x * x * x)));
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const bool through_tanh, IsThroughTanh(args.node));
  return UnaryReference<float>(args, through_tanh ? ThroughTanh : Exact);
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const bool through_tanh, IsThroughTanh(args.node));
  using Function = native::UnaryFunction;
  return LowerUnary(args, {.function = through_tanh ? Function::kGeluTanh : Function::kGelu});
}

Result<PostOp> AsPostOp(const Graph&, const Node& node) {
  ASSIGN_OR_RETURN(const bool through_tanh, IsThroughTanh(node));
  if (through_tanh) return Error(Code::kUnsupported, "approximate is tanh");
  return PostOp{.kind = PostOp::Kind::kGelu};
}

constexpr OpDef kOps[] = {{
    .name = "Gelu",
    .traits = kElementwise | kActivation,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kUnary,
    .post_op = AsPostOp,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> GeluOps() { return kOps; }

}  // namespace intmill::ops
