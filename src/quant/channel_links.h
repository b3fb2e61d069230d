// Which channels of a float graph can only be scaled together, and which weights write and read
// them: what changes when one channel is divided by a number and its readers' weights are
// multiplied by it.
#ifndef INTMILL_QUANT_CHANNEL_LINKS_H
#define INTMILL_QUANT_CHANNEL_LINKS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

// A channel of a node: of its output, its input, or a constant that it adds.
struct NodeChannel {
  size_t node = 0;
  int64_t channel = 0;
};

// Channels of values that hold the same numbers, or sums or maxima of them: a ReLU's input and
// output, the operands of a residual Add, a picture and what is concatenated from it.
struct LinkedChannels {
  std::vector<NodeChannel> writers;  // products and layer normalizations: their weights and bias
  std::vector<NodeChannel> readers;  // products: their weights
  std::vector<NodeChannel> shifts;   // Adds of one constant a channel
  std::vector<NodeChannel> clips;    // Clips from 0 to a bound
  std::vector<NodeChannel> values;   // `node` is a ValueId here
};

// Classes that have a writer and a reader, in the order of their first writer. Whatever a node that
// is not listed here reads or writes is left out, and so are graph inputs and outputs. Shapes are
// inferred.
std::vector<LinkedChannels> LinkChannels(const Graph& graph);

// Divides channels by `scale` and multiplies the weights that read them; one scale for each class.
// A Clip whose channels got different bounds becomes a Clip at the largest of them and a Min.
Status ScaleChannels(Graph& graph, const std::vector<LinkedChannels>& classes,
                     const std::vector<double>& scales);

// The upper bound of a Clip whose lower one is 0; nothing for other nodes.
std::optional<float> BoundOf(const Graph& graph, const Node& node);

}  // namespace intmill

#endif  // INTMILL_QUANT_CHANNEL_LINKS_H
