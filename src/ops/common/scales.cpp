// What QuantizeLinear and DequantizeLinear share: one scale, or one for each index of an axis.
#include "ops/common/scales.h"

#include <algorithm>

#include "ops/common/axes.h"
#include "ops/common/layout.h"

namespace intmill::ops {
namespace {

int64_t DefaultAxis(int64_t rank) { return rank > 1 ? 1 : 0; }

// The axis of the scales, where there are several; ONNX's default is 1.
Result<int64_t> ScaleAxis(const Node& node, int64_t rank) {
  ASSIGN_OR_RETURN(const int64_t axis, node.attrs.Int("axis", DefaultAxis(rank)));
  return NormalizeAxis(axis, rank);
}

Result<int64_t> BlockSize(const Attributes& attrs) {
  ASSIGN_OR_RETURN(const int64_t block, attrs.Int("block_size", 0));
  if (block >= 0) return block;
  return Error(Code::kInvalidArgument, "attribute 'block_size' is ", block, ", wanted 0 or more");
}

int64_t BlocksOf(int64_t dim, int64_t block) { return dim / block + (dim % block != 0 ? 1 : 0); }

// Scales in blocks have the shape of the input, but for the axis, which has one a block.
Status CheckBlocks(const InferContext& context, int64_t block) {
  const Shape* x = context.shape(0);
  const Shape* scale = context.shape(1);
  if (x == nullptr || scale == nullptr) return Ok();
  ASSIGN_OR_RETURN(const int64_t axis, ScaleAxis(context.node(), static_cast<int64_t>(x->size())));
  Shape wanted = *x;
  int64_t& dim = wanted[static_cast<size_t>(axis)];
  if (dim != kDynamic) dim = BlocksOf(dim, block);
  const auto fits = [](int64_t found, int64_t want) {
    return found == want || found == kDynamic || want == kDynamic;
  };
  if (std::ranges::equal(*scale, wanted, fits)) return Ok();
  return Error(Code::kShape, "scale is ", ToString(*scale), ", blocks of ", block, " along axis ",
               axis, " of ", ToString(*x), " want ", ToString(wanted));
}

}  // namespace

Status CheckScales(const InferContext& context) {
  ASSIGN_OR_RETURN(const int64_t block, BlockSize(context.attrs()));
  if (block != 0) TRY(CheckBlocks(context, block));
  const DType scale_type = context.dtype(1);
  if (scale_type != DType::kNone && scale_type != DType::kF32)
    return Error(Code::kUnsupported, "scales of type ", DTypeName(scale_type));
  const Shape* x = context.shape(0);
  const Shape* scale = context.shape(1);
  const Shape* zero_point = context.has_input(2) ? context.shape(2) : nullptr;
  if (scale == nullptr || !IsStatic(*scale)) return Ok();
  const int64_t count = NumElements(*scale);
  if (zero_point != nullptr && IsStatic(*zero_point) && NumElements(*zero_point) != count)
    return Error(Code::kShape, "scale is ", ToString(*scale), ", zero point is ",
                 ToString(*zero_point));
  if (count == 1 || x == nullptr || block != 0) return Ok();
  if (scale->size() != 1) return Error(Code::kUnsupported, "scales of shape ", ToString(*scale));
  ASSIGN_OR_RETURN(const int64_t axis, ScaleAxis(context.node(), static_cast<int64_t>(x->size())));
  const int64_t dim = (*x)[static_cast<size_t>(axis)];
  if (dim == kDynamic || dim == count) return Ok();
  return Error(Code::kShape, count, " scales for an axis of ", dim);
}

Result<ScaleRows> ScaleRowsOf(const Node& node, const Shape& shape, int64_t scales) {
  ASSIGN_OR_RETURN(const int64_t block, BlockSize(node.attrs));
  if (scales == 1 && block == 0)
    return ScaleRows{.inner = std::max<int64_t>(1, NumElements(shape))};
  ASSIGN_OR_RETURN(const int64_t axis, ScaleAxis(node, static_cast<int64_t>(shape.size())));
  ScaleRows rows{.count = scales, .dim = shape[static_cast<size_t>(axis)], .block = block};
  for (size_t d = static_cast<size_t>(axis) + 1; d < shape.size(); ++d) rows.inner *= shape[d];
  if (block != 0) rows.count = BlocksOf(rows.dim, block);
  return rows;
}

Result<native::ScaledRows> ScaledRowsOf(const LowerArgs& args, DType stored) {
  const Tensor* scale = args.in(1).constant;
  const Tensor* zero_point = args.has(2) ? args.in(2).constant : nullptr;
  if (scale == nullptr || (args.has(2) && zero_point == nullptr))
    return Error(Code::kUnsupported, "scale or zero point is not a constant");
  const Operand& x = args.in(0);
  ASSIGN_OR_RETURN(const int64_t block, BlockSize(args.node.attrs));
  if (block != 0) return Error(Code::kUnsupported, "scales in blocks");
  if (args.out(0).layout != x.layout)
    return Error(Code::kUnsupported, "input and output lie differently in memory");
  native::ScaledRows rows{.dtype = stored, .elements = NumElements(x.shape)};
  rows.scales.assign(scale->values<float>().begin(), scale->values<float>().end());
  rows.zero_points.assign(rows.scales.size(), 0);
  if (zero_point != nullptr) {
    ASSIGN_OR_RETURN(const Ints values, ToInts(*zero_point));
    rows.zero_points.assign(values.begin(), values.end());
  }
  rows.row_length = std::max<int64_t>(1, rows.elements);
  if (rows.scales.size() > 1) {
    ASSIGN_OR_RETURN(const int64_t axis,
                     ScaleAxis(args.node, static_cast<int64_t>(x.shape.size())));
    rows.row_length = PhysicalStrides(x)[static_cast<size_t>(axis)];
  }
  return rows;
}

Result<DType> StoredType(int64_t onnx_type) {
  switch (onnx_type) {
    case 2:
      return DType::kU8;
    case 3:
      return DType::kS8;
    case 5:
      return DType::kS16;
    default:
      return Error(Code::kUnsupported, "quantizing to ONNX type ", onnx_type);
  }
}

}  // namespace intmill::ops
