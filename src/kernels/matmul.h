// A matrix product with all that is known when a kernel is made.
#ifndef INTMILL_KERNELS_MATMUL_H
#define INTMILL_KERNELS_MATMUL_H

#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace intmill {

// out = a x b. Kernel inputs: 0 is a, 1 is b. Channels of the epilogue are the columns of the
// output.
struct MatMul {
  // Of one rank >= 2: batch dimensions (1 where an operand is stretched), then rows and columns as
  // the product sees them.
  Shape a;
  Shape b;
  Shape out;
  bool a_is_transposed = false;  // in memory: columns before rows
  // Of `a` in elements, where it is not dense: rows that lie apart. oneDNN's only.
  Shape a_strides;
  bool b_is_transposed = false;

  DType a_dtype = DType::kF32;
  DType b_dtype = DType::kF32;
  DType out_dtype = DType::kF32;
  int32_t a_zero_point = 0;
  // The kernel inputs that hold the scale (f32) and the zero point (s32) of `a`, where only the
  // data of a run tells them; the epilogue's scales are then those of `b` alone.
  int64_t a_scale_input = -1;
  int64_t a_zero_point_input = -1;
  int32_t b_zero_point = 0;  // of a `b` that is read at run time
  // A constant b: packed.
  const void* weights = nullptr;
  // Subtracted from integer weights: one, or one per column; empty: none.
  std::vector<int32_t> weight_zero_points;
  int64_t bias_input = -1;  // the input that the epilogue's bias was read from
  Epilogue epilogue;

  int64_t rows() const { return out[out.size() - 2]; }
  int64_t columns() const { return out.back(); }
  int64_t depth() const { return a.back(); }
};

// oneDNN's where it is exact, else our own (integers); kUnsupported with the reason otherwise.
Result<std::unique_ptr<Kernel>> MakeMatMul(const MatMul& matmul, Isa isa);

namespace onednn {
// kUnsupported when oneDNN has nothing for it, or nothing exact on this instruction set.
Result<std::unique_ptr<Kernel>> MakeMatMul(MatMul matmul, Isa isa);
}  // namespace onednn

namespace native {
// Integers only, on any instruction set.
Result<std::unique_ptr<Kernel>> MakeMatMul(const MatMul& matmul, Isa isa);
// The same bits much faster: u8 by constant s8, with AVX-512 VNNI; else kUnsupported.
Result<std::unique_ptr<Kernel>> MakeProduct(const MatMul& matmul, Isa isa);
// Whether MakeProduct takes it.
bool PrefersProduct(const MatMul& matmul, Isa isa);
}  // namespace native

}  // namespace intmill

#endif  // INTMILL_KERNELS_MATMUL_H
