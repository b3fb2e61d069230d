// Weighted nodes (Conv, Gemm...) with constant float weights: scaling their output channels.
#ifndef INTMILL_PASSES_WEIGHTED_H
#define INTMILL_PASSES_WEIGHTED_H

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// Attributes of a node into which batch normalization went: what training found its output channels
// to be like, a mean and a standard deviation each. They are about quantization, not part of the
// operator: exports leave them out.
inline constexpr const char* kNormMean = "intmill.norm_mean";
inline constexpr const char* kNormDeviation = "intmill.norm_deviation";

// y = scale[c] * y + shift[c] for each output channel c; an empty scale is 1.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

// How many output channels a node has into whose weights and bias an affine can go: constant float
// weights, a bias that is constant or absent. Nothing for other nodes.
std::optional<int64_t> AffineChannels(const Graph& graph, const Node& node);

// Gives the node new constants, computed in double. The node must have AffineChannels. Keeps what
// its attributes say of its channels true.
Status ApplyAffine(Graph& graph, Node& node, const ChannelAffine& affine);

// The attributes alone, where a node has them.
void ScaleNorm(Node& node, const ChannelAffine& affine);

}  // namespace intmill

#endif  // INTMILL_PASSES_WEIGHTED_H
