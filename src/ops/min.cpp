// Min: the smallest of any number of tensors with broadcasting; NaN wins.
#include "ops/common/variadic.h"

namespace intmill::ops {
namespace {

struct Smaller {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return VariadicReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Smaller());
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RequireTwoInputs(args));
  return LowerArithmetic<native::BinaryFunction::kMin, Smaller, uint8_t, int8_t, int32_t, int64_t>(
      args);
}

constexpr OpDef kOps[] = {{
    .name = "Min",
    .max_inputs = INT64_MAX,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferBinary,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> MinOps() { return kOps; }

}  // namespace intmill::ops
