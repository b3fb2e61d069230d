// Quantizing the constants of a product: weights per output channel or per tensor, and the bias.
#ifndef INTMILL_QUANT_WEIGHTS_H
#define INTMILL_QUANT_WEIGHTS_H

#include <optional>
#include <vector>

#include "base/status.h"
#include "quant/bias_shift.h"
#include "quant/moments.h"
#include "quant/saturation.h"
#include "quant/scheme.h"
#include "tensor/tensor.h"

namespace intmill {

struct QuantizedWeight {
  Tensor values;                   // s8 or u8; carries its parameters
  Tensor bias;                     // s32, or f32; not valid when there is none
  std::vector<float> bias_scales;  // of s32: one an element of the bias, s_x * s_w
};

// What the bias of a static product depends on.
struct BiasContext {
  const Tensor* bias = nullptr;  // may be null: then there is one only if it has a shift to correct
  float input_scale = 1;
  // Leaves the bias in f32: in units of s_x * s_w that of 16-bit inputs may need more than 32 bits.
  bool keeps_float = false;
  InputChannels channels;
  std::vector<double> means;              // of the input's channels; empty: nothing is corrected
  const InputMoments* moments = nullptr;  // null: weights are rounded to the nearest integer
};

// `axis` indexes output channels. `context` is null where integers meet no bias (dynamic layers).
// Channels whose bias would not fit into 32 bits get a wider weight scale; and, for Target::kAny,
// those in which a pair along the `reduction` could saturate 7 bits.
Result<QuantizedWeight> QuantizeWeight(const Tensor& weight, int64_t axis,
                                       const LayerScheme& scheme, const BiasContext* context,
                                       const std::optional<Reduction>& reduction = {});

}  // namespace intmill

#endif  // INTMILL_QUANT_WEIGHTS_H
