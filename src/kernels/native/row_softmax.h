// Softmax of rows: of floats, with the scale and the mask of attention; of 8-bit numbers, where
// exponentials of differences of bytes come from a table.
#ifndef INTMILL_KERNELS_NATIVE_ROW_SOFTMAX_H
#define INTMILL_KERNELS_NATIVE_ROW_SOFTMAX_H

#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

// softmax(scale * x + mask). Kernel inputs: 0 x, 1 the mask where there is one.
struct FloatSoftmax {
  std::vector<int64_t> rows;  // the dimensions before the last
  int64_t columns = 1;
  float scale = 1;
  bool has_mask = false;
  std::vector<int64_t> mask_strides;  // of `rows`, in elements, 0 where the mask is stretched
};
Result<std::unique_ptr<Kernel>> MakeFloatSoftmax(const FloatSoftmax& softmax, Isa isa);

// u8 or s8 in, of this scale (zero points cancel); the same type, u8, s8 or f32 out.
struct ByteSoftmax {
  int64_t rows = 1;
  int64_t columns = 1;
  DType in_dtype = DType::kU8;
  float in_scale = 1;
  DType out_dtype = DType::kF32;
  float out_scale = 1;
  int32_t out_zero_point = 0;
};
Result<std::unique_ptr<Kernel>> MakeByteSoftmax(const ByteSoftmax& softmax);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_ROW_SOFTMAX_H
