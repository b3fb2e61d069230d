// DynamicQuantizeLinear: chooses scale and zero point from the data, and quantizes it to u8.
#include "ir/op.h"
#include "kernels/native/quantize.h"
#include "ops/common/types.h"
#include "tensor/quantize.h"

namespace intmill::ops {
namespace {

Status Infer(InferContext& context) {
  const DType dtype = context.dtype(0);
  if (dtype != DType::kNone && dtype != DType::kF32) return UnsupportedType(dtype);
  const Shape* x = context.shape(0);
  context.SetOutput(0, DType::kU8, x == nullptr ? std::nullopt : std::optional<Shape>(*x));
  context.SetOutput(1, DType::kF32, Shape());
  context.SetOutput(2, DType::kU8, Shape());
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  Range range;
  for (const float x : args.in(0).values<float>()) {
    range.min = x < range.min ? x : range.min;
    range.max = x > range.max ? x : range.max;
  }
  float scale = 1;
  int32_t zero_point = 0;
  ChooseScale(range, DType::kU8, false, &scale, &zero_point);
  uint8_t* y = args.out(0).mutable_data<uint8_t>();
  for (const float x : args.in(0).values<float>())
    *y++ = static_cast<uint8_t>(QuantizeValue(x, scale, zero_point, 0, 255));
  *args.out(1).mutable_data<float>() = scale;
  *args.out(2).mutable_data<uint8_t>() = static_cast<uint8_t>(zero_point);
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  return native::MakeDynamicQuantize(NumElements(args.in(0).shape), args.isa);
}

constexpr OpDef kOps[] = {{
    .name = "DynamicQuantizeLinear",
    .min_outputs = 3,
    .max_outputs = 3,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> DynamicQuantizeLinearOps() { return kOps; }

}  // namespace intmill::ops
