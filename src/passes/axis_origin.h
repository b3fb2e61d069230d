// Where the indices of an axis come from: for pull_selection, which asks whether rows of a result
// can be computed from rows of the inputs alone.
#ifndef INTMILL_PASSES_AXIS_ORIGIN_H
#define INTMILL_PASSES_AXIS_ORIGIN_H

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"

namespace intmill {

inline constexpr int64_t kWhole = -1;  // an input that every index of the axis needs all of

// For each input the axis of which index i, and no other index, goes into index i of `axis` of
// output 0: so selecting there is selecting here. Nothing when some index of the output depends on
// other indices, or when shapes are not known. One input at least is not kWhole.
std::optional<std::vector<int64_t>> AxisOrigin(const Graph& graph, const Node& node, int64_t axis);

}  // namespace intmill

#endif  // INTMILL_PASSES_AXIS_ORIGIN_H
