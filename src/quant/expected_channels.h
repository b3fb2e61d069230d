// What channels are like without any data: batch normalizations know mean and deviation of what
// they wrote, and the rest follows.
#ifndef INTMILL_QUANT_EXPECTED_CHANNELS_H
#define INTMILL_QUANT_EXPECTED_CHANNELS_H

#include <map>
#include <vector>

#include "ir/graph.h"

namespace intmill {

struct ExpectedChannel {
  std::vector<double> means;
  std::vector<double> variances;  // empty: not known
};
using ExpectedChannels = std::map<ValueId, ExpectedChannel>;

// Of all values that follow from the normalizations that were fused into products (kNormMean).
// Channels are taken for normally distributed before a Relu or Clip, and so for clipped normal
// behind it (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
// Correction", section 4.2.1 and appendix C); sums for sums of independent numbers. Averages over
// places keep the mean. Nothing is said of any other value.
ExpectedChannels ExpectChannels(const Graph& graph);

// Mean and variance of a normal variable with these, clipped to low..high, which may be infinite.
struct Moments {
  double mean = 0;
  double variance = 0;
};
Moments ClippedNormal(Moments normal, double low, double high);

}  // namespace intmill

#endif  // INTMILL_QUANT_EXPECTED_CHANNELS_H
