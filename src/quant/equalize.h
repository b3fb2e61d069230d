// Cross-layer equalization: an equal float model whose channels have weights of like size on both
// of their sides, for the sake of one scale for all of a weight.
#ifndef INTMILL_QUANT_EQUALIZE_H
#define INTMILL_QUANT_EQUALIZE_H

#include <cstdint>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"

namespace intmill {

struct Equalized {
  Graph graph;
  int64_t channels = 0;  // that were scaled
  int64_t clips = 0;     // Clips that now have a bound for each channel
};

// Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction",
// section 4.1: each channel is divided by s = sqrt(r1 / r2), where r1 is the largest |w| that
// writes it and r2 the largest that reads it, until nothing changes. Channels are taken through
// ReLU and other functions with f(s x) = s f(x), concatenation and residual sums. The paper
// replaces ReLU6 by ReLU, which not every network bears; here a Clip from 0 gets a bound for each
// channel, so that the model stays the same function. `with_clips` false leaves such channels
// alone. The graph's metadata says how many channels were scaled. kState: the graph is quantized
// already.
Result<Equalized> Equalize(const Graph& graph, bool with_clips, const Hooks& hooks);

}  // namespace intmill

#endif  // INTMILL_QUANT_EQUALIZE_H
