// What the operators with weight-only integers share: reading the weights, their scales and their
// zero points, which are constant inputs as a DequantizeLinear has them.
#ifndef INTMILL_OPS_COMMON_WEIGHT_ONLY_H
#define INTMILL_OPS_COMMON_WEIGHT_ONLY_H

#include <vector>

#include "ir/op.h"
#include "kernels/native/weight_only.h"

namespace intmill::ops {

// The types and the rank of the operands; `scale` and `zero_point` are the numbers of inputs, and
// the weights the one before them.
Status CheckWeightOnly(const InferContext& context, int64_t scale, int64_t zero_point);

// Scales of a matrix of `lines` rows (or columns), each cut into blocks along its length.
struct BlockScales {
  int64_t block = 0;                 // elements with one scale
  std::vector<float> scales;         // [line][block], or [block][line] where `blocks_first`
  std::vector<int32_t> zero_points;  // likewise; empty: none
};
// `scale` has one element, or one a line, or (`block` > 0) one a block of each line, in which the
// lines come first or last as they do in the weights (`lines_first`).
Result<BlockScales> ReadBlockScales(const Tensor& scale, const Tensor* zero_point, int64_t block,
                                    int64_t lines, int64_t length, bool lines_first,
                                    bool blocks_first);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_WEIGHT_ONLY_H
