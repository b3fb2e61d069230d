// Layouts: which memory order each step wants for its operands.
#ifndef INTMILL_ENGINE_LAYOUT_H
#define INTMILL_ENGINE_LAYOUT_H

#include "ir/op.h"

namespace intmill {

// Dimensions in memory order: (N, C, D1, ...) becomes (N, D1, ..., C) when channels-last.
Shape PhysicalShape(const Shape& shape, Layout layout);

// Both layouts are the same bytes: rank < 3, one channel, or one position.
bool LayoutsCoincide(const Shape& shape);

// The layout a node computes in, given what its inputs are stored in now. Only values of `rank` 3
// to 5 can be channels-last. `stored` has one entry an input.
Layout ChooseLayout(const Graph& graph, const Node& node, std::span<const Layout> stored);

// True when input i has to be brought to `layout` before the node runs in `layout`.
bool InputFollows(const Graph& graph, const Node& node, size_t i, Layout layout);

}  // namespace intmill

#endif  // INTMILL_ENGINE_LAYOUT_H
