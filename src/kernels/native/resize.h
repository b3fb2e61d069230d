// Interpolation by tables: every output index of a dimension reads one or two input indices.
#ifndef INTMILL_KERNELS_NATIVE_RESIZE_H
#define INTMILL_KERNELS_NATIVE_RESIZE_H

#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

// y = x[low] * (1 - weight) + x[high] * weight, with low, high inside the input.
struct ResizeTap {
  int64_t low = 0;
  int64_t high = 0;
  float weight = 0;  // of high
};

// A dimension in memory order. No taps: copied as it is.
struct ResizeDim {
  int64_t in = 1;
  int64_t out = 1;
  std::vector<ResizeTap> taps;  // as many as `out`, or none
};

struct Resize {
  std::vector<ResizeDim> dims;  // slowest first
  DType dtype = DType::kF32;    // f32, u8 or s8
  int32_t zero_point = 0;       // of integers; input and output share scale and zero point
};

Result<std::unique_ptr<Kernel>> MakeResize(Resize resize, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_RESIZE_H
