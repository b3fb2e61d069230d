// Or: where either is true.
#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct IsEither {
  template <typename T>
  bool operator()(T a, T b) const {
    return a || b;
  }
};

Status Reference(const ReferenceArgs& args) { return ComparisonReference<bool>(args, IsEither()); }

constexpr OpDef kOps[] = {{
    .name = "Or",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise | kCommutative,
    .layout = LayoutRule::kFollow,
    .infer = InferComparison,
    .reference = Reference,
    .lower = LowerRows<IsEither, bool, bool>,
}};

}  // namespace

std::span<const OpDef> OrOps() { return kOps; }

}  // namespace intmill::ops
