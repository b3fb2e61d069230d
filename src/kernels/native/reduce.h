// Reductions over some of a row-major tensor's dimensions.
#ifndef INTMILL_KERNELS_NATIVE_REDUCE_H
#define INTMILL_KERNELS_NATIVE_REDUCE_H

#include <limits>
#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

enum class Reduction { kSum, kMean, kMax, kMin, kProd, kL2, kL1, kSumSquare };

struct Reduce {
  Reduction reduction = Reduction::kSum;
  std::vector<int64_t> shape;
  std::vector<bool> reduced;  // per dimension
  DType dtype = DType::kF32;  // f32; u8 and s8 with kSum, kMean, kMax, kMin
  // 8-bit sums and means of n elements:
  //   q = saturate(round_half_even(clamp((sum - n * in zero point) * factor)) + out zero point)
  float factor = 1;
  int32_t in_zero_point = 0;
  int32_t out_zero_point = 0;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

Result<std::unique_ptr<Kernel>> MakeReduce(const Reduce& reduce);

// The index of the largest (or smallest) element along the middle one of three dimensions.
struct ArgReduce {
  bool is_max = true;
  bool last = false;  // of equal ones
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;
  DType dtype = DType::kF32;  // f32, u8, s8, s32, s64
};
Result<std::unique_ptr<Kernel>> MakeArgReduce(const ArgReduce& reduce);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_REDUCE_H
