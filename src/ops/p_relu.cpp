// PRelu: slope times x below zero, x above; the slope is broadcast to x.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct Sloped {
  template <typename T>
  T operator()(T x, T slope) const {
    return x < 0 ? static_cast<T>(x * slope) : x;
  }
};

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const std::optional<Shape> shape, BroadcastInputs(context));
  const Shape* in = context.shape(0);
  if (in != nullptr && shape && IsStatic(*in) && *shape != *in)
    return Error(Code::kShape, "slope of ", ToString(*context.shape(1)), " does not broadcast to ",
                 ToString(*in));
  context.SetOutput(0, context.dtype(0), in == nullptr ? std::nullopt : std::optional<Shape>(*in));
  return Ok();
}

Status Reference(const ReferenceArgs& args) { return BinaryReference<float>(args, Sloped()); }

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  return LowerFloatBinary(args, native::BinaryFunction::kPRelu);
}

constexpr OpDef kOps[] = {{
    .name = "PRelu",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kAllInputs,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> PReluOps() { return kOps; }

}  // namespace intmill::ops
