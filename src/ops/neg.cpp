// Neg: the number with the other sign; the lowest integer stays what it is.
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

struct Negated {
  float operator()(float x) const { return -x; }
  template <typename T>
  T operator()(T x) const {  // unsigned, as overflow of signed numbers is undefined
    return static_cast<T>(0 - static_cast<uint64_t>(x));
  }
};

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<float, int8_t, int32_t, int64_t>(args, Negated());
}

constexpr OpDef kOps[] = {{
    .name = "Neg",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerUnary<native::UnaryFunction::kNeg>,
}};

}  // namespace

std::span<const OpDef> NegOps() { return kOps; }

}  // namespace intmill::ops
