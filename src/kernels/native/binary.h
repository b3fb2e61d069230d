// Functions of two tensors with broadcasting, element by element: floats, integers, 8-bit numbers
// with scales, and comparisons.
#ifndef INTMILL_KERNELS_NATIVE_BINARY_H
#define INTMILL_KERNELS_NATIVE_BINARY_H

#include <limits>
#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "kernels/native/loops/loops.h"
#include "tensor/dtype.h"

namespace intmill::native {

// How inputs 0 and 1 are read for each element of the dense output: `shape` in the order of the
// output's memory, strides in elements, 0 where an input is stretched.
struct BinaryShape {
  std::vector<int64_t> shape;
  std::vector<int64_t> a_strides;
  std::vector<int64_t> b_strides;
};

// min(max(a op b, low), high) of f32.
struct FloatBinary {
  BinaryFunction function = BinaryFunction::kAdd;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};
Result<std::unique_ptr<Kernel>> MakeBinary(const FloatBinary& binary, const BinaryShape& shape,
                                           Isa isa);

// The same between numbers of type u8 or s8 with a scale each: bit for bit what dequantizing,
// computing in f32 and quantizing gives.
struct ScaledByte {
  DType dtype = DType::kU8;
  float scale = 1;
  int32_t zero_point = 0;
};
Result<std::unique_ptr<Kernel>> MakeByteBinary(const FloatBinary& binary, const ScaledByte& a,
                                               const ScaledByte& b, const ScaledByte& out,
                                               const BinaryShape& shape, Isa isa);

// One row of any other function: strides and count in elements.
using RowFunction = void (*)(const void* a, int64_t a_stride, const void* b, int64_t b_stride,
                             void* out, int64_t n);
Result<std::unique_ptr<Kernel>> MakeRowBinary(RowFunction function, int64_t input_bytes,
                                              int64_t output_bytes, const BinaryShape& shape);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_BINARY_H
