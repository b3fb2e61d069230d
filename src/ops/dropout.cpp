// Dropout, which does nothing once a model is trained; its mask is then true everywhere.
#include <algorithm>

#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  if (context.has_input(2)) {
    const Tensor* training = context.constant(2);
    if (training == nullptr)
      return Error(Code::kUnsupported, "input 'training_mode' is not a constant");
    ASSIGN_OR_RETURN(const Ints on, ToInts(*training));
    if (on.empty() || on[0] != 0) return Error(Code::kUnsupported, "training_mode is true");
  }
  const Shape* in = context.shape(0);
  const std::optional<Shape> shape = in == nullptr ? std::nullopt : std::optional<Shape>(*in);
  context.SetOutput(0, context.dtype(0), shape);
  if (context.output_count() > 1) context.SetOutput(1, DType::kBool, shape);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  TRY(AliasReference(args));
  if (args.outputs.size() > 1 && args.out(1).valid())
    std::fill_n(args.out(1).mutable_data<bool>(), args.out(1).elements(), true);
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  if (args.outputs.size() > 1 && args.out(1).present)
    return Error(Code::kUnsupported, "the mask is wanted");
  return LowerAlias(args);
}

// Until opset 11, the ratio was an attribute; nobody reads it here.
Status Upgrade(Graph&, Node& node, int64_t) {
  node.attrs.Remove("ratio");
  node.attrs.Remove("seed");
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Dropout",
    .max_inputs = 3,
    .max_outputs = 2,
    .traits = kMovesData | kAlias,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .upgrade = Upgrade,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> DropoutOps() { return kOps; }

}  // namespace intmill::ops
