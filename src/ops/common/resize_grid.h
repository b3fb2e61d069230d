// Where each output index of a Resize reads its input: ONNX's coordinate and rounding modes.
#ifndef INTMILL_OPS_COMMON_RESIZE_GRID_H
#define INTMILL_OPS_COMMON_RESIZE_GRID_H

#include <optional>
#include <vector>

#include "ir/op.h"
#include "kernels/native/resize.h"

namespace intmill::ops {

// One dimension of a Resize node.
struct ResizeAxis {
  int64_t out = 1;
  double scale = 1;
};

// All dimensions, from the node's scales or sizes; none while these are not known.
Result<std::optional<std::vector<ResizeAxis>>> ResizeAxes(const Node& node, const Shape& in,
                                                          const Tensor* scales,
                                                          const Tensor* sizes);

// What every output index of a dimension reads. kUnsupported, by name, for modes that are not
// there.
Result<std::vector<native::ResizeTap>> ResizeTaps(const Node& node, int64_t in,
                                                  const ResizeAxis& axis);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_RESIZE_GRID_H
