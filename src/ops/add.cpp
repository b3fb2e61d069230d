// Add: sum of two tensors with broadcasting; integers wrap around.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct Sum {
  float operator()(float a, float b) const { return a + b; }
  template <typename T>
  T operator()(T a, T b) const {  // unsigned, as overflow of signed numbers is undefined
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};

Status Reference(const ReferenceArgs& args) {
  return BinaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Sum());
}

constexpr OpDef kOps[] = {{
    .name = "Add",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kAllInputs,
    .infer = InferBinary,
    .reference = Reference,
    .lower = LowerArithmetic<native::BinaryFunction::kAdd, Sum, uint8_t, int8_t, int32_t, int64_t>,
}};

}  // namespace

std::span<const OpDef> AddOps() { return kOps; }

}  // namespace intmill::ops
