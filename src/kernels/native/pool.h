// Pooling over channels-last images: maximum and average, in floats and in 8-bit numbers.
#ifndef INTMILL_KERNELS_NATIVE_POOL_H
#define INTMILL_KERNELS_NATIVE_POOL_H

#include <limits>
#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

struct Pool {
  bool is_average = false;
  int64_t batch = 1;
  int64_t channels = 1;
  // One to three spatial dimensions.
  std::vector<int64_t> in;
  std::vector<int64_t> out;
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  std::vector<int64_t> pads_begin;
  std::vector<int64_t> pads_end;
  DType dtype = DType::kF32;  // f32, u8, s8; of the output, too

  // Averages only. Padding counts as zeros; what a rounded-up output reaches beyond it does not.
  bool count_padding = false;
  // Of 8-bit averages over n elements:
  //   q = saturate(round_half_even(clamp(sum(x - in_zero_point) * float(ratio / n))) + zero point)
  // where ratio is the scale of the input by the scale of the output. Floats: clamp(sum / n).
  double ratio = 1;
  int32_t in_zero_point = 0;
  int32_t out_zero_point = 0;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

Result<std::unique_ptr<Kernel>> MakePool(const Pool& pool, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_POOL_H
