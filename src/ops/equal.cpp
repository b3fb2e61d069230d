// Equal: where two tensors agree.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct IsEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a == b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return ComparisonReference<float, uint8_t, int8_t, int32_t, int64_t, bool>(args, IsEqual());
}

constexpr OpDef kOps[] = {{
    .name = "Equal",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<IsEqual, bool, float, uint8_t, int8_t, int32_t, int64_t, bool>,
}};

}  // namespace

std::span<const OpDef> EqualOps() { return kOps; }

}  // namespace intmill::ops
