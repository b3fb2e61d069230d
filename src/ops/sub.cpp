// Sub: difference of two tensors with broadcasting; integers wrap around.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct Difference {
  float operator()(float a, float b) const { return a - b; }
  template <typename T>
  T operator()(T a, T b) const {  // unsigned, as overflow of signed numbers is undefined
    return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  }
};

Status Reference(const ReferenceArgs& args) {
  return BinaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Difference());
}

constexpr OpDef kOps[] = {{
    .name = "Sub",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kAllInputs,
    .infer = InferBinary,
    .reference = Reference,
    .lower = LowerArithmetic<native::BinaryFunction::kSub, Difference, uint8_t, int8_t, int32_t,
                             int64_t>,
}};

}  // namespace

std::span<const OpDef> SubOps() { return kOps; }

}  // namespace intmill::ops
