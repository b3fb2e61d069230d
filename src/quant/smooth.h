// SmoothQuant: an equal float model in which outlier channels of activations are divided, and the
// weights that read them multiplied, so that one scale for all of an activation costs less.
#ifndef INTMILL_QUANT_SMOOTH_H
#define INTMILL_QUANT_SMOOTH_H

#include <cstdint>
#include <optional>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"
#include "quant/layers.h"

namespace intmill {

struct Smoothed {
  Graph graph;
  int64_t channels = 0;     // that were scaled
  int64_t activations = 0;  // whose channels were scaled
};

// Xiao et al. 2022, "SmoothQuant: Accurate and Efficient Post-Training Quantization for Large
// Language Models", equation 4: channel c of an activation that products read is divided by
// s = max|x_c|^alpha / max|w_c|^(1 - alpha). What is divided are the constants of the layer
// normalization before it, as in the paper, or the weights of any product from which only functions
// with f(s x) = s f(x) lead there.
//
// Without `alpha` each group of activations gets its own: the one with the least expected noise of
// the products that read it, where rounding is taken for uniform noise; none when nothing beats the
// model as it is. Activations behind a Clip stay. The graph must be calibrated anew afterwards.
// kState: the graph is quantized already.
Result<Smoothed> Smooth(const Graph& graph, const FindStatistics& find, std::optional<double> alpha,
                        bool per_channel, const Hooks& hooks);

}  // namespace intmill

#endif  // INTMILL_QUANT_SMOOTH_H
