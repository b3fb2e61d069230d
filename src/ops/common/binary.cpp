// Elementwise operators of two tensors with broadcasting: what they share.
#include "ops/common/binary.h"

#include "ops/common/byte_table.h"
#include "ops/common/post_ops.h"

namespace intmill::ops {
namespace {

native::ScaledByte ScaledByteOf(const Operand& operand) {
  return {.dtype = operand.dtype,
          .scale = operand.qparams->scales[0],
          .zero_point = operand.qparams->zero_points[0]};
}

Status CheckSameType(const InferContext& context) {
  const DType first = context.dtype(0);
  for (int64_t i = 1; i < context.input_count(); ++i) {
    const DType other = context.dtype(i);
    if (first == DType::kNone || other == DType::kNone || first == other) continue;
    return Error(Code::kInvalidArgument, "input 0 is ", DTypeName(first), ", input ", i, " is ",
                 DTypeName(other));
  }
  return Ok();
}

}  // namespace

Result<std::optional<Shape>> BroadcastInputs(const InferContext& context) {
  std::optional<Shape> out = Shape();
  for (int64_t i = 0; i < context.input_count(); ++i) {
    if (!context.has_input(i)) continue;
    const Shape* shape = context.shape(i);
    if (shape == nullptr) return std::optional<Shape>();
    ASSIGN_OR_RETURN(out, BroadcastShapes(*out, *shape));
  }
  return out;
}

Status InferBinary(InferContext& context) {
  TRY(CheckSameType(context));
  ASSIGN_OR_RETURN(const std::optional<Shape> shape, BroadcastInputs(context));
  context.SetOutput(0, context.dtype(0), shape);
  return Ok();
}

Status InferComparison(InferContext& context) {
  TRY(CheckSameType(context));
  ASSIGN_OR_RETURN(const std::optional<Shape> shape, BroadcastInputs(context));
  context.SetOutput(0, DType::kBool, shape);
  return Ok();
}

void ForBroadcastPairs(const Shape& a, const Shape& b, const Shape& out,
                       const std::function<void(int64_t, int64_t, int64_t)>& fn) {
  const Shape a_strides = BroadcastStrides(a, RowMajorStrides(a), out);
  const Shape b_strides = BroadcastStrides(b, RowMajorStrides(b), out);
  const int64_t elements = NumElements(out);
  for (int64_t i = 0; i < elements; ++i) {
    int64_t rest = i;
    int64_t at_a = 0;
    int64_t at_b = 0;
    for (size_t d = out.size(); d-- > 0;) {
      at_a += rest % out[d] * a_strides[d];
      at_b += rest % out[d] * b_strides[d];
      rest /= out[d];
    }
    fn(i, at_a, at_b);
  }
}

native::BinaryShape BinaryShapeOf(const LowerArgs& args) {
  const Operand& out = args.out(0);
  const std::vector<int64_t> order =
      MemoryOrder(static_cast<int64_t>(out.shape.size()), out.layout);
  const auto strides_of = [&](const Operand& in) {
    return Permuted(BroadcastStrides(in.shape, PhysicalStrides(in), out.shape), order);
  };
  return {.shape = Permuted(out.shape, order),
          .a_strides = strides_of(args.in(0)),
          .b_strides = strides_of(args.in(1))};
}

Result<std::unique_ptr<Kernel>> LowerFloatBinary(const LowerArgs& args,
                                                 native::BinaryFunction function) {
  ASSIGN_OR_RETURN(const Clamp clamp, ClampOfPostOps(args.node));
  const native::FloatBinary binary{.function = function, .low = clamp.low, .high = clamp.high};
  const native::BinaryShape shape = BinaryShapeOf(args);
  const Operand& a = args.in(0);
  const Operand& b = args.in(1);
  const Operand& out = args.out(0);
  if (a.dtype == DType::kF32 && b.dtype == DType::kF32 && out.dtype == DType::kF32)
    return native::MakeBinary(binary, shape, args.isa);
  if (!IsScaledByte(a) || !IsScaledByte(b) || !IsScaledByte(out))
    return Error(Code::kUnsupported, "element types ", DTypeName(a.dtype), ", ", DTypeName(b.dtype),
                 " to ", DTypeName(out.dtype));
  return native::MakeByteBinary(binary, ScaledByteOf(a), ScaledByteOf(b), ScaledByteOf(out), shape,
                                args.isa);
}

}  // namespace intmill::ops
