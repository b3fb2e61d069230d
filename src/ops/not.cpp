// Not: the other truth value.
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

void Invert(const void* in, void* out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<bool*>(out)[i] = !static_cast<const bool*>(in)[i];
}

Status Reference(const ReferenceArgs& args) {
  return UnaryReference<bool>(args, [](bool x) { return !x; });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  if (args.in(0).dtype != DType::kBool) return UnsupportedType(args.in(0).dtype);
  return native::MakeRowUnary(Invert, 1, 1, NumElements(args.out(0).shape));
}

constexpr OpDef kOps[] = {{
    .name = "Not",
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = InferSame,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> NotOps() { return kOps; }

}  // namespace intmill::ops
