// Clipping weights: fewer large ones in exchange for a finer grid for all others.
#ifndef INTMILL_QUANT_WEIGHT_CLIP_H
#define INTMILL_QUANT_WEIGHT_CLIP_H

#include "base/status.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

namespace intmill {

// Shrinks each scale, of a channel or of the whole tensor, to that with the least
// sum of (w - s (clamp(round(w / s) + z) - z))^2; the widest of equals. Zero points stay. (As "MSE"
// in Nagel et al. 2021, "A White Paper on Neural Network Quantization", section 3.1.)
Status ClipByMse(const Tensor& weight, QParams* params);

}  // namespace intmill

#endif  // INTMILL_QUANT_WEIGHT_CLIP_H
