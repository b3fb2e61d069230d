// A graph as text, one line a node, for people who debug.
#ifndef INTMILL_IR_PRINT_H
#define INTMILL_IR_PRINT_H

#include <string>

#include "ir/graph.h"

namespace intmill {

// input x: f32 1x3x?x?
// y: f32 1x8x?x? = Conv 'conv1' (x, w: f32 8x3x3x3 constant) strides=2,2 +relu
// output y
std::string Print(const Graph& graph);
std::string Print(const Graph& graph, const Node& node);

}  // namespace intmill

#endif  // INTMILL_IR_PRINT_H
