// What QuantizeLinear and DequantizeLinear share: one scale, or one for each index of an axis.
#ifndef INTMILL_OPS_COMMON_SCALES_H
#define INTMILL_OPS_COMMON_SCALES_H

#include "ir/op.h"
#include "kernels/native/quantize.h"

namespace intmill::ops {

// Checks the shapes of scale (input 1) and zero point (input 2).
Status CheckScales(const InferContext& context);

// Which scale an element has: one for all, one for each index of an axis, or (attribute
// 'block_size') one for each block along the axis, of each row there.
struct ScaleRows {
  int64_t count = 1;  // along the axis
  int64_t inner = 1;  // elements from one index of the axis to the next
  int64_t dim = 1;    // of the axis
  int64_t block = 0;  // 0: no blocks

  // Of element i of the row-major tensor.
  int64_t At(int64_t i) const {
    if (block == 0) return i / inner % count;
    return (i / (inner * dim) * count + i / inner % dim / block) * inner + i % inner;
  }
};
Result<ScaleRows> ScaleRowsOf(const Node& node, const Shape& shape, int64_t scales);

// Constant scales and zero points for the kernels, along the memory of input 0.
Result<native::ScaledRows> ScaledRowsOf(const LowerArgs& args, DType stored);

// The type that ONNX's number stands for, of those that quantization writes.
Result<DType> StoredType(int64_t onnx_type);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_SCALES_H
