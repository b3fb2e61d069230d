// Where the elements of an operand lie, whatever its layout.
#ifndef INTMILL_OPS_COMMON_LAYOUT_H
#define INTMILL_OPS_COMMON_LAYOUT_H

#include "ir/op.h"

namespace intmill::ops {

// Strides in elements, in the order of the shape (N, C, D1..), of dense memory in `layout`.
Shape PhysicalStrides(const Shape& shape, Layout layout);
inline Shape PhysicalStrides(const Operand& operand) {
  return PhysicalStrides(operand.shape, operand.layout);
}

// Axes from the slowest to the fastest in memory.
std::vector<int64_t> MemoryOrder(int64_t rank, Layout layout);

// Strides with which an operand is read under a broadcast shape: 0 where it is stretched.
Shape BroadcastStrides(const Shape& shape, const Shape& strides, const Shape& broadcast);

// values[order[0]], values[order[1]], ...
Shape Permuted(const Shape& values, const std::vector<int64_t>& order);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_LAYOUT_H
