// Xor: where one of two is true and the other is not.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct AreDifferent {
  template <typename T>
  bool operator()(T a, T b) const {
    return a != b;
  }
};

Status Reference(const ReferenceArgs& args) {
  return ComparisonReference<bool>(args, AreDifferent());
}

constexpr OpDef kOps[] = {{
    .name = "Xor",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<AreDifferent, bool, bool>,
}};

}  // namespace

std::span<const OpDef> XorOps() { return kOps; }

}  // namespace intmill::ops
