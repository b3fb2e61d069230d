// Comparing two tensors, batch after batch: the sums behind SQNR, cosine and the errors.
#ifndef INTMILL_TENSOR_COMPARE_H
#define INTMILL_TENSOR_COMPARE_H

#include <cstdint>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill {

struct Difference {
  double max_abs = 0;
  double mean_abs = 0;
  double mse = 0;
  double sqnr_db = 0;  // 10 log10(sum a^2 / sum (a-b)^2); +Inf when equal
  double cosine = 1;
};

// Sums over as many pairs as are added; `a` is the reference.
class Comparison {
 public:
  // Any numeric types; quantized tensors are compared by their real values. Shapes must be equal.
  Status Add(const Tensor& a, const Tensor& b);
  Difference Get() const;
  int64_t count() const { return count_; }

 private:
  int64_t count_ = 0;
  double max_abs_ = 0;
  double sum_abs_ = 0;
  double sum_aa_ = 0;
  double sum_bb_ = 0;
  double sum_ab_ = 0;
  double sum_dd_ = 0;
};

}  // namespace intmill

#endif  // INTMILL_TENSOR_COMPARE_H
