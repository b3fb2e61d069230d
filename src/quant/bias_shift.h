// Bias correction: rounding the weights of a product shifts the mean of its results, and the bias
// can take that back.
#ifndef INTMILL_QUANT_BIAS_SHIFT_H
#define INTMILL_QUANT_BIAS_SHIFT_H

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill {

// Which channels of its input a product with weights of this shape sums up.
struct InputChannels {
  int64_t count = 0;  // 0: not known, or spread in a way that has no mean a channel
  int64_t groups = 1;
  bool is_spatial = false;  // axis 1 of the input; else its last axis
};
InputChannels InputChannelsOf(const Node& node, const Tensor& weight);

// The mean of (w' - w) * x for each output channel, where w' is what the integers stand for and
// means[c] the mean of input channel c. Depthwise and other small sums gain most: the rounding of
// few weights does not cancel out, and after a ReLU all inputs have one sign.
Result<std::vector<double>> MeanShift(const Tensor& weight, const Tensor& quantized, int64_t axis,
                                      const InputChannels& channels, std::span<const double> means);

}  // namespace intmill

#endif  // INTMILL_QUANT_BIAS_SHIFT_H
