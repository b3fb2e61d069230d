// Layer normalization of rows of floats, into floats, bytes or both.
#ifndef INTMILL_KERNELS_NATIVE_LAYER_NORM_H
#define INTMILL_KERNELS_NATIVE_LAYER_NORM_H

#include <cstdint>
#include <memory>
#include <optional>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

// y = (x - mean) / sqrt(variance + epsilon) * scale + bias in each row, and round(y / out_scale) +
// out_zero_point saturated. Kernel inputs: 0 x, 1 the scale of each column, 2 the bias where there
// is one. Outputs: the bytes where there are some, then the floats where there are some.
struct LayerNorm {
  int64_t rows = 1;
  int64_t columns = 1;
  float epsilon = 1e-5f;
  bool has_bias = false;
  bool has_floats = true;
  std::optional<DType> out_dtype;  // u8 or s8
  float out_scale = 1;
  int32_t out_zero_point = 0;
};
Result<std::unique_ptr<Kernel>> MakeLayerNorm(const LayerNorm& norm, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LAYER_NORM_H
