// Greater: where a is above b.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct IsGreater {
  template <typename T>
  bool operator()(T a, T b) const {
    return a > b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return ComparisonReference<float, uint8_t, int8_t, int32_t, int64_t>(args, IsGreater());
}

constexpr OpDef kOps[] = {{
    .name = "Greater",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<IsGreater, bool, float, uint8_t, int8_t, int32_t, int64_t>,
}};

}  // namespace

std::span<const OpDef> GreaterOps() { return kOps; }

}  // namespace intmill::ops
