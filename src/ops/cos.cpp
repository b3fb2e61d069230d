// Cos: cosine.
#include <cmath>

#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

struct Function {
  double operator()(double x) const { return std::cos(x); }
};

Status Reference(const ReferenceArgs& args) { return UnaryReference<float>(args, Function()); }

constexpr OpDef kOps[] = {{
    .name = "Cos",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = LowerScalar<Function>,
}};

}  // namespace

std::span<const OpDef> CosOps() { return kOps; }

}  // namespace intmill::ops
