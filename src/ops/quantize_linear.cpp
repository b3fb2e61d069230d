// QuantizeLinear: q = saturate(round_half_even(x / s) + z).
#include "ops/common/post_ops.h"
#include "ops/common/scales.h"
#include "ops/common/types.h"
#include "tensor/quantize.h"

namespace intmill::ops {
namespace {

// The zero point's type, or what 'output_dtype' says, or u8.
Status Infer(InferContext& context) {
  TRY(CheckScales(context));
  ASSIGN_OR_RETURN(const int64_t wanted, context.attrs().Int("output_dtype", 0));
  DType out = DType::kU8;
  if (context.has_input(2)) {
    out = context.dtype(2);
  } else if (wanted != 0) {
    ASSIGN_OR_RETURN(out, StoredType(wanted));
  }
  if (out != DType::kNone && !IsQuantizedActivation(out))
    return Error(Code::kUnsupported, "quantizing to ", DTypeName(out));
  const Shape* x = context.shape(0);
  context.SetOutput(0, out, x == nullptr ? std::nullopt : std::optional<Shape>(*x));
  return Ok();
}

template <typename In, typename Out>
Status QuantizeAll(const ReferenceArgs& args) {
  const Tensor& x = args.in(0);
  const float* scales = args.in(1).data<float>();
  const Out* zero_points = args.has(2) ? args.in(2).data<Out>() : nullptr;
  const auto low = static_cast<int32_t>(MinOf(args.out(0).dtype()));
  const auto high = static_cast<int32_t>(MaxOf(args.out(0).dtype()));
  ASSIGN_OR_RETURN(const ScaleRows rows, ScaleRowsOf(args.node, x.shape(), args.in(1).elements()));
  Out* y = args.out(0).mutable_data<Out>();
  for (int64_t i = 0; i < x.elements(); ++i) {
    const int64_t at = rows.At(i);
    const int32_t zero_point = zero_points == nullptr ? 0 : zero_points[at];
    y[i] = static_cast<Out>(
        QuantizeValue(static_cast<float>(x.data<In>()[i]), scales[at], zero_point, low, high));
  }
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  return ForType<float, int32_t>(args.in(0).dtype(), [&]<typename In>(In) {
    return ForType<uint8_t, int8_t, int16_t>(
        args.out(0).dtype(), [&]<typename Out>(Out) { return QuantizeAll<In, Out>(args); });
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  if (args.in(0).dtype != DType::kF32) return UnsupportedType(args.in(0).dtype);
  ASSIGN_OR_RETURN(native::ScaledRows rows, ScaledRowsOf(args, args.out(0).dtype));
  return native::MakeQuantize(std::move(rows), args.isa);
}

constexpr OpDef kOps[] = {{
    .name = "QuantizeLinear",
    .min_inputs = 2,
    .max_inputs = 3,
    .traits = kQuantize,
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> QuantizeLinearOps() { return kOps; }

}  // namespace intmill::ops
