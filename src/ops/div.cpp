// Div: quotient of two tensors with broadcasting; integers are cut towards zero.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct Quotient {
  float operator()(float a, float b) const { return a / b; }
  template <typename T>
  T operator()(T a, T b) const {
    // ONNX leaves both open, and both trap.
    if (b == 0) return 0;
    if (std::is_signed_v<T> && b == static_cast<T>(-1))
      return static_cast<T>(0 - static_cast<uint64_t>(a));
    return static_cast<T>(a / b);
  }
};

Status Reference(const ReferenceArgs& args) {
  return BinaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Quotient());
}

constexpr OpDef kOps[] = {{
    .name = "Div",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferBinary,
    .reference = Reference,
    .lower =
        LowerArithmetic<native::BinaryFunction::kDiv, Quotient, uint8_t, int8_t, int32_t, int64_t>,
}};

}  // namespace

std::span<const OpDef> DivOps() { return kOps; }

}  // namespace intmill::ops
