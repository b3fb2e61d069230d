// Inputs that say how large something is: some models take the target of a Reshape, the pads of a
// Pad or the sizes of a Resize at run time, so that shapes depend on what such inputs hold.
#ifndef INTMILL_SESSION_SHAPE_VALUES_H
#define INTMILL_SESSION_SHAPE_VALUES_H

#include <span>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill {

// Which inputs a plan treats as constants; tried in this order, as each costs plans.
enum class ShapeValues { kNone = 0, kIntegers = 1, kIntegersAndFloats = 2 };

// Copies of the inputs that count at this level, small ones of rank 0 or 1; invalid tensors for the
// others. Empty when none counts.
Result<std::vector<Tensor>> CopyShapeValues(std::span<const Tensor> inputs, ShapeValues level);
// True when the inputs hold what CopyShapeValues copied.
bool HoldsShapeValues(std::span<const Tensor> inputs, std::span<const Tensor> values);
// The graph with those inputs read as constants. They stay inputs, which nobody reads.
Graph WithShapeValues(Graph graph, std::span<const Tensor> values);

}  // namespace intmill

#endif  // INTMILL_SESSION_SHAPE_VALUES_H
