// Abs: the number without its sign; the lowest integer stays what it is.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

struct Magnitude {
  float operator()(float x) const { return std::fabs(x); }
  template <typename T>
  T operator()(T x) const {  // unsigned, as overflow of signed numbers is undefined
    return x < 0 ? static_cast<T>(0 - static_cast<uint64_t>(x)) : x;
  }
};

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, Magnitude());
}

constexpr OpDef kOps[] = {{
    .name = "Abs",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kAbs>,
}};

}  // namespace

std::span<const OpDef> AbsOps() { return kOps; }

}  // namespace intmill::ops
