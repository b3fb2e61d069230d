// DequantizeLinear: x = (q - z) s.
#include "ops/common/post_ops.h"
#include "ops/common/scales.h"
#include "ops/common/types.h"
#include "tensor/nibble.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  TRY(CheckScales(context));
  const DType stored = context.dtype(0);
  const DType zero_point = context.has_input(2) ? context.dtype(2) : DType::kNone;
  if (stored != DType::kNone && zero_point != DType::kNone && stored != zero_point)
    return Error(Code::kInvalidArgument, "input is ", DTypeName(stored), ", zero point is ",
                 DTypeName(zero_point));
  const Shape* q = context.shape(0);
  context.SetOutput(0, DType::kF32, q == nullptr ? std::nullopt : std::optional<Shape>(*q));
  return Ok();
}

// `stored` gives integer i of a tensor.
template <typename Stored>
Status DequantizeAll(const ReferenceArgs& args, Stored&& stored) {
  const Tensor& q = args.in(0);
  const float* scales = args.in(1).data<float>();
  const Tensor* zero_points = args.has(2) ? &args.in(2) : nullptr;
  ASSIGN_OR_RETURN(const ScaleRows rows, ScaleRowsOf(args.node, q.shape(), args.in(1).elements()));
  float* x = args.out(0).mutable_data<float>();
  for (int64_t i = 0; i < q.elements(); ++i) {
    const int64_t at = rows.At(i);
    // 64 bits: the difference of two s32 does not fit in 32.
    const int64_t shifted = stored(q, i) - (zero_points == nullptr ? 0 : stored(*zero_points, at));
    x[i] = static_cast<float>(shifted) * scales[at];
  }
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  const DType dtype = args.in(0).dtype();
  if (dtype == DType::kS4 || dtype == DType::kU4)
    return DequantizeAll(args, [dtype](const Tensor& t, int64_t i) {
      return NibbleAt(t.data<uint8_t>(), i, dtype == DType::kS4);
    });
  return ForType<uint8_t, int8_t, int16_t, int32_t>(dtype, [&]<typename T>(T) {
    return DequantizeAll(args, [](const Tensor& t, int64_t i) { return int64_t{t.data<T>()[i]}; });
  });
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  if (!IsQuantizedActivation(args.in(0).dtype)) return UnsupportedType(args.in(0).dtype);
  ASSIGN_OR_RETURN(native::ScaledRows rows, ScaledRowsOf(args, args.in(0).dtype));
  return native::MakeDequantize(std::move(rows), args.isa);
}

constexpr OpDef kOps[] = {{
    .name = "DequantizeLinear",
    .min_inputs = 2,
    .max_inputs = 3,
    .traits = kDequantize,
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> DequantizeLinearOps() { return kOps; }

}  // namespace intmill::ops
