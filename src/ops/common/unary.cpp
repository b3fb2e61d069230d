// Elementwise operators of one tensor: what they share, so that each file is its definition.
#include "ops/common/unary.h"

#include "ops/common/byte_table.h"
#include "ops/common/post_ops.h"
#include "tensor/quantize.h"

namespace intmill::ops {
Status InferSame(InferContext& context) {
  const Shape* shape = context.shape(0);
  context.SetOutput(0, context.dtype(0),
                    shape == nullptr ? std::nullopt : std::optional<Shape>(*shape));
  return Ok();
}

Result<std::unique_ptr<Kernel>> LowerTable(const LowerArgs& args) {
  TRY(RefusePostOps(args.node));
  const Operand& in = args.in(0);
  const Operand& out = args.out(0);
  if (!IsScaledByte(in) || !IsScaledByte(out))
    return Error(Code::kUnsupported, "element types ", DTypeName(in.dtype), " to ",
                 DTypeName(out.dtype), ", or a scale per channel");
  ASSIGN_OR_RETURN(const Tensor real, RealValuesOfBytes(*in.qparams));
  std::vector<const Tensor*> inputs = {&real};
  for (size_t i = 1; i < args.inputs.size(); ++i) {
    if (args.inputs[i].present && args.inputs[i].constant == nullptr)
      return Error(Code::kUnsupported, "input ", i, " is not a constant");
    inputs.push_back(args.inputs[i].constant);
  }
  ASSIGN_OR_RETURN(Tensor result, Tensor::Make(DType::kF32, {256}));
  TRY(args.node.op->reference({.node = args.node, .inputs = inputs, .outputs = {&result, 1}}));
  return native::MakeTable(QuantizeAll(result, *out.qparams), NumElements(out.shape), args.isa);
}

Result<std::unique_ptr<Kernel>> LowerUnary(const LowerArgs& args, const native::Unary& function) {
  if (args.in(0).qparams != nullptr) return LowerTable(args);
  TRY(RefusePostOps(args.node));
  if (args.in(0).dtype != DType::kF32) return UnsupportedType(args.in(0).dtype);
  return native::MakeUnary(function, NumElements(args.out(0).shape), args.isa);
}

}  // namespace intmill::ops
