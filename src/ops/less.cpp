// Less: where a is below b.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct IsLess {
  template <typename T>
  bool operator()(T a, T b) const {
    return a < b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return ComparisonReference<float, uint8_t, int8_t, int32_t, int64_t>(args, IsLess());
}

constexpr OpDef kOps[] = {{
    .name = "Less",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<IsLess, bool, float, uint8_t, int8_t, int32_t, int64_t>,
}};

}  // namespace

std::span<const OpDef> LessOps() { return kOps; }

}  // namespace intmill::ops
