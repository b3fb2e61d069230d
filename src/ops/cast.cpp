// Cast and CastLike: numbers to another type; floats are cut towards zero, and what does not fit
// saturates (ONNX leaves it open), integers keep their low bits.
#include <cmath>
#include <limits>

#include "kernels/native/unary.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"
#include "tensor/half.h"

namespace intmill::ops {
namespace {

template <typename From, typename To>
To Converted(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != 0;
  } else if constexpr (std::is_same_v<From, float> && std::is_integral_v<To>) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(x)) return 0;
    // The upper limit rounds up as a float, so that reaching it means leaving the range.
    if (x >= static_cast<float>(Limits::max())) return Limits::max();
    if (x <= static_cast<float>(Limits::min())) return Limits::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

template <typename From, typename To>
void ConvertRow(const void* in, void* out, int64_t n) {
  const From* x = static_cast<const From*>(in);
  To* y = static_cast<To*>(out);
  for (int64_t i = 0; i < n; ++i) y[i] = Converted<From, To>(x[i]);
}

// 16-bit floats come from and go to f32 only.
template <auto kConvert, typename From, typename To>
void HalfRow(const void* in, void* out, int64_t n) {
  const From* x = static_cast<const From*>(in);
  To* y = static_cast<To*>(out);
  for (int64_t i = 0; i < n; ++i) y[i] = kConvert(x[i]);
}

native::RowUnary HalfConverter(DType from, DType to) {
  if (from == DType::kF16 && to == DType::kF32) return HalfRow<F16ToFloat, uint16_t, float>;
  if (from == DType::kBf16 && to == DType::kF32) return HalfRow<Bf16ToFloat, uint16_t, float>;
  if (from == DType::kF32 && to == DType::kF16) return HalfRow<FloatToF16, float, uint16_t>;
  if (from == DType::kF32 && to == DType::kBf16) return HalfRow<FloatToBf16, float, uint16_t>;
  return nullptr;
}

Result<native::RowUnary> Converter(DType from, DType to) {
  native::RowUnary row = HalfConverter(from, to);
  if (row != nullptr) return row;
  TRY((ForType<float, uint8_t, int8_t, int32_t, int64_t, bool>(from, [&]<typename From>(From) {
    return ForType<float, uint8_t, int8_t, int32_t, int64_t, bool>(to, [&]<typename To>(To) {
      row = ConvertRow<From, To>;
      return Ok();
    });
  })));
  return row;
}

// The numbers of ONNX's TensorProto.DataType.
Result<DType> Target(const Node& node) {
  ASSIGN_OR_RETURN(const int64_t to, node.attrs.Int("to", 0));
  switch (to) {
    case 1:
      return DType::kF32;
    case 2:
      return DType::kU8;
    case 3:
      return DType::kS8;
    case 6:
      return DType::kS32;
    case 7:
      return DType::kS64;
    case 9:
      return DType::kBool;
    case 10:
      return DType::kF16;
    case 16:
      return DType::kBf16;
    default:
      return Error(Code::kUnsupported, "casting to ONNX type ", to);
  }
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const DType to, Target(context.node()));
  const Shape* in = context.shape(0);
  context.SetOutput(0, to, in == nullptr ? std::nullopt : std::optional<Shape>(*in));
  return Ok();
}

Status InferLike(InferContext& context) {
  const Shape* in = context.shape(0);
  context.SetOutput(0, context.dtype(1), in == nullptr ? std::nullopt : std::optional<Shape>(*in));
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const native::RowUnary row, Converter(args.in(0).dtype(), args.out(0).dtype()));
  row(args.in(0).data<void>(), args.out(0).mutable_data<void>(), args.in(0).elements());
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  ASSIGN_OR_RETURN(native::RowUnary row, Converter(args.in(0).dtype, args.out(0).dtype));
  if (row == HalfConverter(DType::kF32, DType::kBf16)) row = native::NarrowBf16For(args.isa);
  if (row == HalfConverter(DType::kBf16, DType::kF32)) row = native::WidenBf16For(args.isa);
  return native::MakeRowUnary(row, BitsOf(args.in(0).dtype) / 8, BitsOf(args.out(0).dtype) / 8,
                              NumElements(args.out(0).shape));
}

constexpr OpDef kOps[] = {
    {
        .name = "Cast",
        .traits = kElementwise,
        .layout = LayoutRule::kFollow,
        .infer = Infer,
        .reference = Reference,
        .lower = Lower,
    },
    {
        .name = "CastLike",
        .min_inputs = 2,
        .max_inputs = 2,
        .layout = LayoutRule::kFollow,
        .infer = InferLike,
        .reference = Reference,
        .lower = Lower,
    },
};

}  // namespace

std::span<const OpDef> CastOps() { return kOps; }

}  // namespace intmill::ops
