// Mod: remainder with the sign of the divisor, or, with fmod, of the dividend.
#include <cmath>

#include "ops/common/binary.h"

namespace intmill::ops {
namespace {

struct LikeDividend {
  float operator()(float a, float b) const { return std::fmod(a, b); }
  template <typename T>
  T operator()(T a, T b) const {
    // ONNX leaves the first open; both trap.
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return 0;
    return static_cast<T>(a % b);
  }
};

struct LikeDivisor {
  template <typename T>
  T operator()(T a, T b) const {
    const T remainder = LikeDividend()(a, b);
    const bool has_other_sign = remainder != 0 && (remainder < 0) != (b < 0);
    return has_other_sign ? static_cast<T>(remainder + b) : remainder;
  }
};

Result<bool> IsLikeDividend(const Node& node) {
  ASSIGN_OR_RETURN(const int64_t fmod, node.attrs.Int("fmod", 0));
  return fmod != 0;
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const bool like_dividend, IsLikeDividend(context.node()));
  if (!like_dividend && context.dtype(0) == DType::kF32)
    return Error(Code::kInvalidArgument, "floats want attribute 'fmod' to be 1");
  return InferBinary(context);
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const bool like_dividend, IsLikeDividend(args.node));
  if (like_dividend)
    return BinaryReference<float, uint8_t, int8_t, int32_t, int64_t>(args, LikeDividend());
  return BinaryReference<uint8_t, int8_t, int32_t, int64_t>(args, LikeDivisor());
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  ASSIGN_OR_RETURN(const bool like_dividend, IsLikeDividend(args.node));
  if (like_dividend)
    return LowerRows<LikeDividend, void, float, uint8_t, int8_t, int32_t, int64_t>(args);
  return LowerRows<LikeDivisor, void, uint8_t, int8_t, int32_t, int64_t>(args);
}

constexpr OpDef kOps[] = {{
    .name = "Mod",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> ModOps() { return kOps; }

}  // namespace intmill::ops
