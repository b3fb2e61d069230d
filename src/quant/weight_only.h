// Weight-only quantization of one matrix: integers of 4 or 8 bits with a scale, and where wanted a
// zero point, for each block of weights that one output sums up.
#ifndef INTMILL_QUANT_WEIGHT_ONLY_H
#define INTMILL_QUANT_WEIGHT_ONLY_H

#include "base/status.h"
#include "quant/input_products.h"
#include "quant/scheme.h"
#include "tensor/tensor.h"

namespace intmill {

// As a DequantizeLinear wants it.
struct BlockedWeight {
  Tensor values;  // of the scheme's weight type, in the weight's shape
  Tensor scales;  // f32, or f16 where all of them are normal numbers in it and there are blocks
  Tensor zero_points;  // of the type of the values; not valid: all are 0
  int64_t axis = 0;    // of the blocks, or without blocks of the lines
  int64_t block = 0;   // 0: one scale for each line
};

// `weight` is a finite f32 matrix, `line_axis` the axis that indexes lines: the output channels of
// a product, or the rows of a table. Blocks of scheme.group_size lie along the other axis; the last
// may be shorter, and a group size of 0 or of the whole line gives one scale a line.
//
// In 8 bits scales cover the largest weight. In 4 bits, where that would leave few steps to the
// others, the largest may be cut: of a few scales the one with the least squared error wins,
// weights counting as much as the square of their input where that is known (`products` not null).
// With `products` and scheme.gptq weights are rounded by GPTQ, else each to the nearest.
Result<BlockedWeight> QuantizeBlocks(const Tensor& weight, int64_t line_axis,
                                     const LayerScheme& scheme, const InputProducts* products);

}  // namespace intmill

#endif  // INTMILL_QUANT_WEIGHT_ONLY_H
