// Constant: a tensor, a number or a list of numbers written in the model.
#include <cstring>

#include "ir/op.h"

namespace intmill::ops {
namespace {

Result<Tensor> ValueOf(const Node& node) {
  for (const auto& [name, value] : node.attrs.all()) {
    if (const auto* tensor = std::get_if<Tensor>(&value)) return *tensor;
    if (const auto* number = std::get_if<float>(&value)) return Tensor::Scalar(*number);
    if (const auto* integer = std::get_if<int64_t>(&value)) return Tensor::Scalar(*integer);
    if (const auto* numbers = std::get_if<std::vector<float>>(&value)) return Tensor::Of(*numbers);
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&value))
      return Tensor::Of(*integers);
    return Error(Code::kUnsupported, "attribute '", name, "'");
  }
  return Error(Code::kInvalidArgument, "no value");
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Tensor value, ValueOf(context.node()));
  context.SetOutput(0, value.dtype(), value.shape());
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Tensor value, ValueOf(args.node));
  const auto bytes = static_cast<size_t>(value.bytes());
  if (bytes > 0) std::memcpy(args.out(0).mutable_data<void>(), value.data<void>(), bytes);
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "Constant",
    .min_inputs = 0,
    .max_inputs = 0,
    .infer = Infer,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> ConstantOps() { return kOps; }

}  // namespace intmill::ops
