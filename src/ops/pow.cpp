// Pow: a to the power of b; the result has the type of a, whatever that of b.
#include <cmath>

#include "kernels/native/unary.h"
#include "ops/common/binary.h"
#include "ops/common/unary.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const std::optional<Shape> shape, BroadcastInputs(context));
  context.SetOutput(0, context.dtype(0), shape);
  return Ok();
}

// Integers whose power does not fit saturate; ONNX leaves it open.
template <typename T>
T Rounded(double x) {
  if constexpr (std::is_same_v<T, float>) {
    return static_cast<float>(x);
  } else {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(x)) return 0;
    if (x >= static_cast<double>(Limits::max())) return Limits::max();
    if (x <= static_cast<double>(Limits::min())) return Limits::min();
    return static_cast<T>(x);
  }
}

Status Reference(const ReferenceArgs& args) {
  return ForType<float, int32_t, int64_t>(args.in(0).dtype(), [&]<typename T>(T) {
    return ForType<float, uint8_t, int8_t, int32_t, int64_t>(
        args.in(1).dtype(), [&]<typename Exponent>(Exponent) {
          const T* a = args.in(0).data<T>();
          const Exponent* b = args.in(1).data<Exponent>();
          T* out = args.out(0).mutable_data<T>();
          ForBroadcastPairs(args.in(0).shape(), args.in(1).shape(), args.out(0).shape(),
                            [&](int64_t i, int64_t at_a, int64_t at_b) {
                              out[i] = Rounded<T>(std::pow(static_cast<double>(a[at_a]),
                                                           static_cast<double>(b[at_b])));
                            });
          return Ok();
        });
  });
}

// Squares and roots, which layer normalization and Gelu are made of, have functions of their own.
std::optional<native::UnaryFunction> FunctionFor(const Operand& exponent) {
  if (exponent.constant == nullptr || exponent.dtype != DType::kF32 ||
      exponent.constant->elements() != 1)
    return std::nullopt;
  const float value = *exponent.constant->data<float>();
  if (value == 2.0f) return native::UnaryFunction::kSquare;
  if (value == 1.0f) return native::UnaryFunction::kIdentity;
  if (value == -1.0f) return native::UnaryFunction::kReciprocal;
  return std::nullopt;
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  const std::optional<native::UnaryFunction> function = FunctionFor(args.in(1));
  const bool keeps_shape = args.in(0).shape == args.out(0).shape;
  if (args.in(0).dtype == DType::kF32 && function && keeps_shape && args.node.post_ops.empty())
    return LowerUnary(args, {.function = *function});
  return LowerFloatBinary(args, native::BinaryFunction::kPow);
}

constexpr OpDef kOps[] = {{
    .name = "Pow",
    .min_inputs = 2,
    .max_inputs = 2,
    .traits = kElementwise,
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> PowOps() { return kOps; }

}  // namespace intmill::ops
