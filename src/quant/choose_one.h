// Choosing quantization parameters for a tensor from its own values, as the options say.
#ifndef INTMILL_QUANT_CHOOSE_ONE_H
#define INTMILL_QUANT_CHOOSE_ONE_H

#include <cstdint>

#include "base/status.h"
#include "quant/scheme.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

namespace intmill {

// Axis -1: as for an activation, by the scheme's calibration. Otherwise as for a weight: one scale
// for each index of the axis, from the smallest to the largest value.
Result<QParams> ChooseForTensor(const Tensor& x, int64_t axis, const LayerScheme& scheme);

}  // namespace intmill

#endif  // INTMILL_QUANT_CHOOSE_ONE_H
