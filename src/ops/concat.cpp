// Concat: tensors one after the other along an axis.
#include "ops/common/movement.h"

namespace intmill::ops {
namespace {

// Joins the dimensions of `other` into `out`, adding along `axis`.
Status Join(const Shape& other, size_t axis, int64_t input, Shape& out) {
  if (other.size() != out.size())
    return Error(Code::kShape, "input 0 has rank ", out.size(), ", input ", input, " has rank ",
                 other.size());
  for (size_t d = 0; d < out.size(); ++d) {
    if (d == axis) {
      out[d] = out[d] == kDynamic || other[d] == kDynamic ? kDynamic : out[d] + other[d];
    } else if (out[d] == kDynamic) {
      out[d] = other[d];
    } else if (other[d] != kDynamic && other[d] != out[d]) {
      return Error(Code::kShape, "input ", input, " is ", ToString(other), ", which does not join ",
                   ToString(out), " along axis ", axis);
    }
  }
  return Ok();
}

Status Infer(InferContext& context) {
  const Shape* first = context.shape(0);
  for (int64_t i = 1; i < context.input_count(); ++i) {
    const DType other = context.dtype(i);
    if (other != DType::kNone && context.dtype(0) != DType::kNone && other != context.dtype(0))
      return Error(Code::kInvalidArgument, "input 0 is ", DTypeName(context.dtype(0)), ", input ",
                   i, " is ", DTypeName(other));
    if (context.shape(i) == nullptr) first = nullptr;
  }
  std::optional<Shape> out;
  if (first != nullptr) {
    out = *first;
    if (!context.attrs().Has("axis"))
      return Error(Code::kInvalidArgument, "attribute 'axis' is missing");
    ASSIGN_OR_RETURN(const int64_t axis,
                     AxisAttribute(context.node(), "axis", 0, static_cast<int64_t>(out->size())));
    for (int64_t i = 1; i < context.input_count(); ++i)
      TRY(Join(*context.shape(i), static_cast<size_t>(axis), i, *out));
  }
  context.SetOutput(0, context.dtype(0), out);
  return Ok();
}

Result<std::vector<native::CopyPart>> Parts(const Move& move) {
  ASSIGN_OR_RETURN(const int64_t axis, AxisAttribute(move.node(), "axis", 0, move.rank()));
  std::vector<native::CopyPart> parts;
  int64_t offset = 0;
  for (size_t i = 0; i < move.inputs().size(); ++i) {
    const Move::Side& in = move.inputs()[i];
    parts.push_back({.input = static_cast<int64_t>(i),
                     .output_offset = offset,
                     .shape = in.shape,
                     .input_strides = in.strides,
                     .output_strides = move.out().strides});
    offset += in.shape[static_cast<size_t>(axis)] * move.out().strides[static_cast<size_t>(axis)];
  }
  return parts;
}

constexpr OpDef kOps[] = {{
    .name = "Concat",
    .max_inputs = INT64_MAX,
    .traits = kMovesData,
    .layout = LayoutRule::kFollow,
    .quant = QuantRule::kSameScale,
    .same_scale_inputs = UINT64_MAX,
    .infer = Infer,
    .reference = MoveReference<Parts>,
    .lower = LowerMove<Parts>,
}};

}  // namespace

std::span<const OpDef> ConcatOps() { return kOps; }

}  // namespace intmill::ops
