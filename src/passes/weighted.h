// Weighted nodes (Conv, Gemm...) with constant float weights: scaling their output channels.
#ifndef INTMILL_PASSES_WEIGHTED_H
#define INTMILL_PASSES_WEIGHTED_H

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// y = scale[c] * y + shift[c] for each output channel c; an empty scale is 1.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// How many output channels a node has into whose weights and bias an affine can go: constant float
// weights, a bias that is constant or absent. Nothing for other nodes.
std::optional<int64_t> AffineChannels(const Graph& graph, const Node& node);

// Gives the node new constants, computed in double. The node must have AffineChannels.
Status ApplyAffine(Graph& graph, Node& node, const ChannelAffine& affine);

}  // namespace intmill

#endif  // INTMILL_PASSES_WEIGHTED_H
