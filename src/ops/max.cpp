// Max: the largest of any number of tensors with broadcasting; NaN wins.
#include "ops/common/variadic.h"

namespace intmill::ops {
namespace {

struct Larger {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return VariadicReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Larger());
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RequireTwoInputs(args));
  return LowerArithmetic<native::BinaryFunction::kMax, Larger, uint8_t, int8_t, int32_t, int64_t>(
      args);
}

constexpr OpDef kOps[] = {{
    .name = "Max",
    .max_inputs = INT64_MAX,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferBinary,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> MaxOps() { return kOps; }

}  // namespace intmill::ops
