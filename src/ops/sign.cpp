// Sign: -1, 0 or 1; NaN stays NaN.
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, [](auto x) {
    using T = decltype(x);
    return x > 0 ? T{1} : x < 0 ? static_cast<T>(-1) : x;
  });
}

constexpr OpDef kOps[] = {{
    .name = "Sign",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kSign>,
}};

}  // namespace

std::span<const OpDef> SignOps() { return kOps; }

}  // namespace intmill::ops
