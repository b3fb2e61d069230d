// Sum: of any number of tensors with broadcasting.
#include "ops/common/variadic.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return VariadicReference<float>(args, [](float a, float b) { return a + b; });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RequireTwoInputs(args));
  return LowerFloatBinary(args, native::BinaryFunction::kAdd);
}

constexpr OpDef kOps[] = {{
    .name = "Sum",
    .max_inputs = INT64_MAX,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferBinary,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> SumOps() { return kOps; }

}  // namespace intmill::ops
