// One run of a kernel on made-up numbers, and the comparison of its output with what plain loops
// say.
#ifndef INTMILL_KERNELS_ONEDNN_TRIAL_RUN_H
#define INTMILL_KERNELS_ONEDNN_TRIAL_RUN_H

#include <cstdint>
#include <vector>

#include "base/memory.h"
#include "base/status.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace intmill::onednn {

// Random numbers over the whole range of their type, as large as any that a scale was chosen for.
class MadeUp {
 public:
  void Fill(DType dtype, int64_t n, void* out);  // f32, bf16, u8, s8

 private:
  uint64_t state_ = 7;
};

// A sum of products; of floats also the sum of their sizes, which bounds what another order can
// change.
struct Sum {
  double value = 0;
  double size = 0;
};

// Elements of f32, bf16, u8 or s8 at equal distances.
struct Line {
  DType dtype;
  const void* data;
  int64_t first;
  int64_t stride;
  int32_t zero_point;  // subtracted from each
};
// Adds the products of the first n elements of two lines, both of integers or both of one type
// of floats.
void AddProducts(const Line& a, const Line& b, int64_t n, Sum& sum);

// What a kernel reads and writes. The output has rows of channels.
class TrialRun {
 public:
  // `epilogue` outlives it.
  TrialRun(const Epilogue& epilogue, DType in_dtype, DType out_dtype, Shape out, int64_t channels);

  int64_t rows() const { return rows_; }

  // Zeroed memory for an input of the kernel, or made-up numbers; owned by the run.
  Result<void*> AddInput(int64_t index, int64_t bytes);
  Result<const void*> AddNumbers(int64_t index, DType dtype, int64_t n);

  Status Run(const Kernel& kernel);

  // Whether the channels `chosen` of an output row follow from their sums; kUnsupported if not.
  Status CompareRow(int64_t row, const std::vector<int64_t>& chosen, const std::vector<Sum>& sums);

 private:
  double Tolerance(double wanted, const Sum& sum) const;
  Status AddOperands();
  std::vector<const void*> OperandsOfRow(int64_t row) const;

  const Epilogue& epilogue_;
  const bool is_integer_;
  const DType out_dtype_;
  const Shape out_;
  const int64_t channels_;
  const int64_t rows_;
  MadeUp made_up_;
  std::vector<AlignedBytes> memory_;
  std::vector<const void*> inputs_;
  std::vector<AlignedBytes> stretched_rows_;  // of a step's operand; null: it lies like the output
  Epilogue plain_;                            // with operands that lie like the output
  AlignedBytes found_;
};

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_TRIAL_RUN_H
