// Shapes: checks against the limits, sizes, axes and broadcasting.
#include "tensor/shape.h"

#include <algorithm>

#include "base/checked.h"

namespace intmill {
namespace {

// Where a shape has a zero, the other dimensions do not count; a product of the others could
// overflow, so every dimension is still held to kMaxDim by CheckShape.
bool SizeFits(const Shape& shape, DType dtype, int64_t* bytes) {
  int64_t elements = 1;
  if (std::ranges::find(shape, 0) != shape.end()) elements = 0;
  for (const int64_t dim : shape)
    if (elements != 0 && !MulFits(elements, dim, &elements)) return false;
  int64_t bits = 0;
  if (!MulFits(elements, BitsOf(dtype), &bits) || !AddFits(bits, 7, &bits)) return false;
  *bytes = bits / 8;
  return *bytes <= kMaxBytes;
}

}  // namespace

std::string ToString(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (const int64_t dim : shape) {
    if (!out.empty()) out += 'x';
    out += dim == kDynamic ? "?" : std::to_string(dim);
  }
  return out;
}

bool IsStatic(const Shape& shape) { return std::ranges::find(shape, kDynamic) == shape.end(); }

Status CheckShape(const Shape& shape, DType dtype) {
  if (!IsKnown(dtype))
    return Error(Code::kInvalidArgument, "element type ", static_cast<int32_t>(dtype),
                 " is not known");
  const auto rank = static_cast<int64_t>(shape.size());
  if (rank > kMaxRank)
    return Error(Code::kInvalidArgument, "rank is ", rank, ", the limit is ", kMaxRank);
  for (const int64_t dim : shape)
    if (dim < 0 || dim > kMaxDim)
      return Error(Code::kInvalidArgument, "dimension ", dim, " of ", ToString(shape),
                   " is not in 0..", kMaxDim);
  int64_t bytes = 0;
  if (!SizeFits(shape, dtype, &bytes))
    return Error(Code::kInvalidArgument, ToString(shape), " ", DTypeName(dtype),
                 " takes more than the limit of ", kMaxBytes, " bytes");
  return Ok();
}

int64_t NumElements(const Shape& shape) {
  // A zero first: the product of the others may be beyond int64_t.
  if (std::ranges::find(shape, 0) != shape.end()) return 0;
  int64_t elements = 1;
  for (const int64_t dim : shape) elements *= dim;
  return elements;
}

int64_t NumBytes(const Shape& shape, DType dtype) {
  return (NumElements(shape) * BitsOf(dtype) + 7) / 8;
}

Shape RowMajorStrides(const Shape& shape) {
  Shape strides(shape.size(), 1);
  // Clamped so that an empty tensor's other dimensions cannot overflow; its strides are never used.
  for (size_t i = shape.size(); i-- > 1;)
    if (!MulFits(strides[i], std::max<int64_t>(shape[i], 1), &strides[i - 1]))
      strides[i - 1] = INT64_MAX;
  return strides;
}

Result<int64_t> NormalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return Error(Code::kShape, "axis ", axis, " is not an axis of a tensor of rank ", rank);
  return axis < 0 ? axis + rank : axis;
}

Result<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape out(rank);
  const auto dim_of = [rank](const Shape& shape, size_t i) {
    return i + shape.size() < rank ? 1 : shape[i + shape.size() - rank];
  };
  for (size_t i = 0; i < rank; ++i) {
    const int64_t m = dim_of(a, i);
    const int64_t n = dim_of(b, i);
    if (m == n || n == 1)
      out[i] = m;
    else if (m == 1 || m == kDynamic)
      out[i] = n;
    else if (n == kDynamic)
      out[i] = m;
    else
      return Error(Code::kShape, "shapes ", ToString(a), " and ", ToString(b), " do not broadcast");
  }
  return out;
}

}  // namespace intmill
