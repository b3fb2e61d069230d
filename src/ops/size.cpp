// Size: how many elements a tensor has.
#include "ir/op.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  context.SetOutput(0, DType::kS64, Shape());
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  *args.out(0).mutable_data<int64_t>() = args.in(0).elements();
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Size",
    .traits = kShapeOnly,
    .infer = Infer,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> SizeOps() { return kOps; }

}  // namespace intmill::ops
