// Why a layer loses precision in 8 bits, in words.
#ifndef INTMILL_QUANT_CAUSE_H
#define INTMILL_QUANT_CAUSE_H

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "quant/scheme.h"
#include "quant/signal.h"
#include "tensor/tensor.h"

namespace intmill {

// The largest |w| of each output channel; empty without an axis.
std::vector<float> ChannelPeaks(const Tensor& weight, int64_t axis);

// One channel far above the others: its index and how many times the median it reaches.
struct Outlier {
  int64_t channel = -1;  // -1: none
  double ratio = 0;
};
Outlier FindOutlier(std::span<const float> peaks);

// How many times the smallest tenth the largest tenth of the channels reaches; 1 when that says
// nothing. Channels of zeros are left out.
double Spread(std::span<const float> peaks);

// What a layer reads.
struct LayerInput {
  const InputSums& sums;
  const QParams* params = nullptr;  // null: ranges are taken from each input
  bool is_model_input = false;      // the user's data, as it was prepared
};

// The likely cause, worst first, "" when nothing stands out. `weight_peaks` may be empty.
std::string LikelyCause(const LayerInput& input, std::span<const float> weight_peaks,
                        const LayerScheme& scheme);

}  // namespace intmill

#endif  // INTMILL_QUANT_CAUSE_H
