// Products of floats with constant weights that are stored in 4 or 8 bits, and slices of such
// weights. Integers become floats in registers, so that memory is read at a quarter of the size or
// at an eighth; nothing is ever quantized at run time.
#ifndef INTMILL_KERNELS_NATIVE_WEIGHT_ONLY_H
#define INTMILL_KERNELS_NATIVE_WEIGHT_ONLY_H

#include <cstdint>
#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "tensor/tensor.h"

namespace intmill::native {

// Weight (k, n) stands for (q - zero_points[b][n]) * scales[b][n] with b = k / block.
struct WeightOnlyMatrix {
  Tensor weights;              // s8, u8, s4 or u4: [depth, columns], or transposed
  bool is_transposed = false;  // [columns, depth]
  int64_t depth = 0;
  int64_t columns = 0;
  int64_t block = 0;                 // a multiple of 8 unless it is the whole depth
  std::vector<float> scales;         // [block][column]
  std::vector<int32_t> zero_points;  // likewise; empty: all are 0

  int64_t blocks() const { return (depth + block - 1) / block; }
};

struct WeightOnlyProduct {
  int64_t rows = 0;
  WeightOnlyMatrix matrix;
  int64_t bias_input = -1;  // the input that the epilogue's bias was read from
  Epilogue epilogue;        // of floats
};

// out = a x weights, in f32: input 0 is a, [rows, depth]; the weights, their scales and their zero
// points are inputs 1 to 3. Floats are summed in an order that does not depend on threads.
// kUnsupported: blocks or an epilogue that the loops do not know.
Result<std::unique_ptr<Kernel>> MakeWeightOnlyProduct(const WeightOnlyProduct& product, Isa isa);

// The real weights as [depth, columns], or as they lie when `keep_order`.
Result<Tensor> Widened(const WeightOnlyMatrix& matrix, bool keep_order);

// Rows of a [depth, columns] matrix by indices known when the model runs: input 0 are the weights,
// input `indices_input` the indices in -depth..depth-1, and another one makes Run fail. Scales are
// given per element: [row][column / block]. The output is f32.
struct WeightOnlyGather {
  Tensor weights;                    // [rows, columns]
  int64_t block = 0;                 // elements of a row with one scale
  std::vector<float> scales;         // [row][block]
  std::vector<int32_t> zero_points;  // likewise; empty: all are 0
  int64_t indices = 0;
  bool long_indices = true;  // s64, else s32
  int64_t indices_input = 3;
};
Result<std::unique_ptr<Kernel>> MakeWeightOnlyGather(WeightOnlyGather gather);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_WEIGHT_ONLY_H
