// Shapes: a list of dimensions, outermost first; -1 where a dimension is decided at run time.
#ifndef INTMILL_TENSOR_SHAPE_H
#define INTMILL_TENSOR_SHAPE_H

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "tensor/dtype.h"

namespace intmill {

using Shape = std::vector<int64_t>;

inline constexpr int64_t kDynamic = -1;
inline constexpr int64_t kMaxRank = 12;
inline constexpr int64_t kMaxDim = (int64_t{1} << 31) - 1;
inline constexpr int64_t kMaxBytes = int64_t{1} << 46;

std::string ToString(const Shape& shape);  // "1x3x224x224", "?" for kDynamic, "scalar" for rank 0
bool IsStatic(const Shape& shape);         // no dimension is kDynamic

// Refuses rank > kMaxRank, negative dimensions, dimensions > kMaxDim and sizes > kMaxBytes.
Status CheckShape(const Shape& shape, DType dtype);
// Of a shape that passed CheckShape.
int64_t NumElements(const Shape& shape);
int64_t NumBytes(const Shape& shape, DType dtype);
Shape RowMajorStrides(const Shape& shape);  // in elements

// Maps -rank..rank-1 to 0..rank-1; anything else is an error that names both.
Result<int64_t> NormalizeAxis(int64_t axis, int64_t rank);

// NumPy broadcasting of two shapes; kDynamic against 1 or kDynamic gives kDynamic, against n > 1
// gives n.
Result<Shape> BroadcastShapes(const Shape& a, const Shape& b);

}  // namespace intmill

#endif  // INTMILL_TENSOR_SHAPE_H
