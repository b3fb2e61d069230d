// Rounding weights up or down by what that does to a layer's result, not each to its nearest.
#ifndef INTMILL_QUANT_ROUND_WEIGHTS_H
#define INTMILL_QUANT_ROUND_WEIGHTS_H

#include <cstdint>

#include "base/status.h"
#include "quant/bias_shift.h"
#include "quant/moments.h"
#include "tensor/tensor.h"

namespace intmill {

// For each output channel with weights w, scale s and integers q, e = q - z - w / s is what
// rounding leaves, and E[(e x)^2] = e^T M e is the mean squared error of its results, with the
// moments M of its inputs. Starting from the nearest integers, the one weight whose other neighbour
// lowers that most is changed, until none does. This is the layer-wise objective of AdaRound (Nagel
// et al. 2020, "Up or Down? Adaptive Rounding for Post-Training Quantization", equation 13) with
// neither labels nor gradients: descent on the quadratic problem itself instead of its relaxation.
//
// `quantized` carries its parameters and has been rounded to nearest; clipped weights stay.
// `centered`: the layer's bias takes the mean.
Result<Tensor> RoundByMoments(const Tensor& weight, const Tensor& quantized, int64_t axis,
                              const InputChannels& channels, const InputMoments& moments,
                              bool centered);

}  // namespace intmill

#endif  // INTMILL_QUANT_ROUND_WEIGHTS_H
