// Axes and other small lists of integers that operators take as attributes or as inputs.
#ifndef INTMILL_OPS_COMMON_AXES_H
#define INTMILL_OPS_COMMON_AXES_H

#include <optional>
#include <string_view>
#include <vector>

#include "ir/op.h"

namespace intmill::ops {

using Ints = std::vector<int64_t>;

// Axes in 0..rank-1; a repeated one is an error.
Result<Ints> NormalizeAxes(const Ints& axes, int64_t rank);

// An attribute as a non-negative axis of a tensor of this rank.
Result<int64_t> AxisAttribute(const Node& node, std::string_view name, int64_t fallback,
                              int64_t rank);

// The values of input i: the fallback when absent, none when not known before running.
Result<std::optional<Ints>> KnownInts(const InferContext& context, int64_t i, Ints fallback);

// For upgrades: the attribute, where there, becomes a constant as input i.
Status IntsToInput(Graph& graph, Node& node, std::string_view attribute, int64_t i);
Status FloatToInput(Graph& graph, Node& node, std::string_view attribute, int64_t i);

// Dimensions that nobody knows yet.
inline Shape Unknown(int64_t rank) { return Shape(static_cast<size_t>(rank), kDynamic); }

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_AXES_H
