// Reading the scales of weight-only integers.
#include "ops/common/weight_only.h"

#include <algorithm>

#include "tensor/tensor.h"

namespace intmill::ops {

Status CheckWeightOnly(const InferContext& context, int64_t scale, int64_t zero_point) {
  const DType weights = context.dtype(scale - 1);
  const bool is_known = weights == DType::kNone || IsQuantized8(weights) || weights == DType::kS4 ||
                        weights == DType::kU4;
  const DType scales = context.dtype(scale);
  const DType zero_points = context.has_input(zero_point) ? context.dtype(zero_point) : weights;
  if (!is_known || (scales != DType::kNone && scales != DType::kF32) ||
      (zero_points != DType::kNone && weights != DType::kNone && zero_points != weights))
    return Error(Code::kUnsupported, "weights of ", DTypeName(weights), ", scales of ",
                 DTypeName(scales), " and zero points of ", DTypeName(zero_points));
  const Shape* w = context.shape(scale - 1);
  if (w != nullptr && w->size() != 2)
    return Error(Code::kShape, "the weights have ", w->size(), " dimensions, wanted 2");
  return Ok();
}

Result<BlockScales> ReadBlockScales(const Tensor& scale, const Tensor* zero_point, int64_t block,
                                    int64_t lines, int64_t length, bool lines_first,
                                    bool blocks_first) {
  BlockScales s{.block = std::max<int64_t>(1, block > 0 ? block : length)};
  const int64_t blocks = length / s.block + (length % s.block != 0 ? 1 : 0);
  const int64_t count = scale.elements();
  if (scale.dtype() != DType::kF32 || (block == 0 && count != 1 && count != lines) ||
      (block > 0 && count != lines * blocks) ||
      (zero_point != nullptr && zero_point->elements() != count))
    return Error(Code::kShape, "found ", count, " scales of type ", DTypeName(scale.dtype()),
                 ", wanted ", lines * blocks, " of f32, and as many zero points or none");
  std::vector<int64_t> zero_points;
  if (zero_point != nullptr) {
    ASSIGN_OR_RETURN(zero_points, ToInts(*zero_point));
  }
  s.scales.resize(static_cast<size_t>(lines * blocks));
  s.zero_points.resize(zero_point == nullptr ? 0 : s.scales.size());
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t from = count == 1    ? 0
                           : block == 0  ? line
                           : lines_first ? line * blocks + b
                                         : b * lines + line;
      const auto to = static_cast<size_t>(blocks_first ? b * lines + line : line * blocks + b);
      s.scales[to] = scale.data<float>()[from];
      if (zero_point != nullptr)
        s.zero_points[to] = static_cast<int32_t>(zero_points[static_cast<size_t>(from)]);
    }
  }
  return s;
}

}  // namespace intmill::ops
