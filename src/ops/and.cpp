// And: where both are true.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct AreBoth {
  template <typename T>
  bool operator()(T a, T b) const {
    return a && b;
  }
};

Status Reference(const ReferenceArgs& args) { return ComparisonReference<bool>(args, AreBoth()); }

constexpr OpDef kOps[] = {{
    .name = "And",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<AreBoth, bool, bool>,
}};

}  // namespace

std::span<const OpDef> AndOps() { return kOps; }

}  // namespace intmill::ops
