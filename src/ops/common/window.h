// Sliding windows: the attributes that convolutions and pools share, checked and resolved.
#ifndef INTMILL_OPS_COMMON_WINDOW_H
#define INTMILL_OPS_COMMON_WINDOW_H

#include <vector>

#include "base/status.h"
#include "ir/attributes.h"
#include "tensor/shape.h"

namespace intmill::ops {

// One value per spatial dimension.
struct Window {
  Shape kernel;
  Shape strides;
  Shape dilations;
  Shape pads_begin;
  Shape pads_end;
  Shape out;  // spatial output sizes; kDynamic where the input's is

  int64_t Extent(size_t i) const { return (kernel[i] - 1) * dilations[i] + 1; }
};

// `spatial` are the input's spatial sizes (kDynamic allowed). `kernel` overrides nothing: it is
// what the attribute kernel_shape must equal when present; empty: the attribute says it.
Result<Window> ReadWindow(const Attributes& attrs, const Shape& spatial, const Shape& kernel);

// The same for transposed convolutions, with output_padding and output_shape.
Result<Window> ReadTransposedWindow(const Attributes& attrs, const Shape& spatial,
                                    const Shape& kernel);

// Dimensions 2.. of a shape with rank >= 3; kShape otherwise.
Result<Shape> SpatialOf(const Shape& shape);
Status CheckSpatialRank(const Shape& shape);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_WINDOW_H
