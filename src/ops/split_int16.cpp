// SplitInt16: the two bytes of 16-bit numbers, x = 256 (high - 128) + low; of floats after rounding
// them, where it has a 'scale': x = saturate(round_half_even(x / s)). Made by passes/split_int16.
#include "kernels/native/quantize.h"
#include "ops/common/post_ops.h"
#include "ops/common/types.h"
#include "tensor/quantize.h"

namespace intmill::ops {
namespace {

constexpr const char* kScale = "scale";

Status CheckType(DType dtype, const Node& node) {
  const DType wanted = node.attrs.Has(kScale) ? DType::kF32 : DType::kS16;
  return dtype == wanted || dtype == DType::kNone ? Ok() : UnsupportedType(dtype);
}

Status Infer(InferContext& context) {
  TRY(CheckType(context.dtype(0), context.node()));
  const Shape* x = context.shape(0);
  for (const int64_t i : {0, 1})
    context.SetOutput(i, DType::kU8, x == nullptr ? std::nullopt : std::optional<Shape>(*x));
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  const Tensor& x = args.in(0);
  TRY(CheckType(x.dtype(), args.node));
  ASSIGN_OR_RETURN(const float scale, args.node.attrs.Float(kScale, 1));
  for (int64_t i = 0; i < x.elements(); ++i) {
    const int32_t value = x.dtype() == DType::kF32
                              ? QuantizeValue(x.data<float>()[i], scale, 0, -32768, 32767)
                              : int32_t{x.data<int16_t>()[i]};
    const int32_t from_lowest = value + 32768;
    args.out(0).mutable_data<uint8_t>()[i] = static_cast<uint8_t>(from_lowest / 256);
    args.out(1).mutable_data<uint8_t>()[i] = static_cast<uint8_t>(from_lowest % 256);
  }
  return Ok();
}

Result<std::unique_ptr<Kernel>> Lower(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  TRY(CheckType(args.in(0).dtype, args.node));
  if (args.out(0).layout != args.in(0).layout)
    return Error(Code::kUnsupported, "input and output lie differently in memory");
  std::optional<float> scale;
  if (args.node.attrs.Has(kScale)) {
    ASSIGN_OR_RETURN(scale, args.node.attrs.Float(kScale, 1));
  }
  return native::MakeSplitInt16(NumElements(args.in(0).shape), scale, args.isa);
}

constexpr OpDef kOps[] = {{
    .name = "SplitInt16",
    .domain = "intmill",
    .min_outputs = 2,
    .max_outputs = 2,
    .traits = kQuantize,  // about the integers themselves, whatever they stand for
    .layout = LayoutRule::kFollow,
    .infer = Infer,
    .reference = Reference,
    .lower = Lower,
}};

}  // namespace

std::span<const OpDef> SplitInt16Ops() { return kOps; }

}  // namespace intmill::ops
