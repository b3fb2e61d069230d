// Reading the scales of weight-only integers.
#include "ops/common/weight_only.h"

#include "tensor/tensor.h"

namespace intmill::ops {

Result<BlockScales> ReadBlockScales(const Tensor& scale, const Tensor* zero_point, int64_t block,
                                    int64_t lines, int64_t length, bool lines_first,
                                    bool blocks_first) {
  BlockScales s{.block = block > 0 ? block : length};
  const int64_t blocks = (length + s.block - 1) / s.block;
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
