// LessOrEqual: where a is not above b.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct IsLessOrEqual {
  template <typename T>
  bool operator()(T a, T b) const {
    return a <= b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return ComparisonReference<float, uint8_t, int8_t, int32_t, int64_t>(args, IsLessOrEqual());
}

constexpr OpDef kOps[] = {{
    .name = "LessOrEqual",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<IsLessOrEqual, bool, float, uint8_t, int8_t, int32_t, int64_t>,
}};

}  // namespace

std::span<const OpDef> LessOrEqualOps() { return kOps; }

}  // namespace intmill::ops
