// What separates two models' outputs, added up over batches.
#ifndef INTMILL_QUANT_OUTPUT_SUMS_H
#define INTMILL_QUANT_OUTPUT_SUMS_H

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "tensor/compare.h"
#include "tensor/tensor.h"

namespace intmill {

// The indices of the `k` largest values of a row, the largest first; of equals the first.
std::vector<int64_t> LargestOfRow(std::span<const float> row, size_t k);

// How often the right class was first, or among the first five.
struct Hits {
  int64_t top1 = 0;
  int64_t top5 = 0;
  void Count(const std::vector<int64_t>& guesses, int64_t target);
};

// Can be copied before a batch, so that a failing one leaves no trace.
class OutputSums {
 public:
  // One batch: the outputs of both models, and the right classes or no tensor. `graph` names them.
  Status Add(const Graph& graph, std::span<const Tensor> reference,
             std::span<const Tensor> candidate, std::span<const Tensor> targets);

  // As Verifier tells of them.
  Table Summary() const;
  Table Outputs(const Graph& graph) const;

  int64_t rows() const { return rows_; }
  bool has_targets() const { return has_targets_; }
  double Percent(int64_t part) const;
  int64_t agreeing() const { return agreeing_; }
  const Hits& reference() const { return reference_; }
  const Hits& candidate() const { return candidate_; }
  const std::vector<Comparison>& outputs() const { return outputs_; }
  // The class that the reference put first in each row.
  const std::vector<int32_t>& answers() const { return answers_; }

 private:
  Status AddRows(const Tensor& reference, const Tensor& candidate,
                 const std::vector<int64_t>& targets);

  int64_t batches_ = 0;
  int64_t rows_ = 0;
  int64_t agreeing_ = 0;
  bool has_targets_ = false;
  Hits reference_;
  Hits candidate_;
  std::vector<Comparison> outputs_;
  std::vector<int32_t> answers_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_OUTPUT_SUMS_H
