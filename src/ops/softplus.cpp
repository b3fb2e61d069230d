// Softplus: log(1 + e^x).
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float>(
      args, [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); });
}

constexpr OpDef kOps[] = {{
    .name = "Softplus",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kSoftplus>,
}};

}  // namespace

std::span<const OpDef> SoftplusOps() { return kOps; }

}  // namespace intmill::ops
