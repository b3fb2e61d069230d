// What QuantizeLinear and DequantizeLinear share: one scale, or one for each index of an axis.
#ifndef INTMILL_OPS_COMMON_SCALES_H
#define INTMILL_OPS_COMMON_SCALES_H

#include "ir/op.h"
#include "kernels/native/quantize.h"

namespace intmill::ops {

// Checks the shapes of scale (input 1) and zero point (input 2), and that there are no blocks.
Status CheckScales(const InferContext& context);

// Element i of the row-major tensor has scale (i / inner) % count.
struct ScaleRows {
  int64_t count = 1;
  int64_t inner = 1;
};
Result<ScaleRows> ScaleRowsOf(const Node& node, const Shape& shape, int64_t scales);

// Constant scales and zero points for the kernels, along the memory of input 0.
Result<native::ScaledRows> ScaledRowsOf(const LowerArgs& args, DType stored);

// The type that ONNX's number stands for, of those that quantization writes.
Result<DType> StoredType(int64_t onnx_type);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_SCALES_H
