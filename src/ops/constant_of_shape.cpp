// ConstantOfShape: one value everywhere, in a shape that is computed.
#include <cstring>

#include "ops/common/axes.h"

namespace intmill::ops {
namespace {

Result<Tensor> ValueOf(const Node& node) {
  const Attribute* attribute = node.attrs.Find("value");
  if (attribute == nullptr) return Tensor::Scalar(0.0f);
  const auto* tensor = std::get_if<Tensor>(attribute);
  if (tensor == nullptr || tensor->elements() != 1)
    return Error(Code::kInvalidArgument, "attribute 'value' is not a tensor of one element");
  if (BitsOf(tensor->dtype()) < 8)
    return Error(Code::kUnsupported, "element type ", DTypeName(tensor->dtype()));
  return *tensor;
}

Status Infer(InferContext& context) {
  ASSIGN_OR_RETURN(const Tensor value, ValueOf(context.node()));
  ASSIGN_OR_RETURN(const std::optional<Ints> wanted, KnownInts(context, 0, {}));
  std::optional<Shape> out;
  if (wanted) {
    for (const int64_t dim : *wanted)
      if (dim < 0) return Error(Code::kShape, "dimension ", dim);
    out = *wanted;
  } else if (context.shape(0) != nullptr && context.shape(0)->size() == 1 &&
             (*context.shape(0))[0] >= 0 && (*context.shape(0))[0] <= kMaxRank) {
    out = Unknown((*context.shape(0))[0]);
  }
  context.SetOutput(0, value.dtype(), out);
  return Ok();
}

Status Reference(const ReferenceArgs& args) {
  ASSIGN_OR_RETURN(const Tensor value, ValueOf(args.node));
  const auto size = static_cast<size_t>(value.bytes());
  auto* out = args.out(0).mutable_data<std::byte>();
  for (int64_t i = 0; i < args.out(0).elements(); ++i)
    std::memcpy(out + static_cast<size_t>(i) * size, value.data<void>(), size);
  return Ok();
}

constexpr OpDef kOps[] = {{
    .name = "ConstantOfShape",
    .infer = Infer,
    .reference = Reference,
}};

}  // namespace

std::span<const OpDef> ConstantOfShapeOps() { return kOps; }

}  // namespace intmill::ops
