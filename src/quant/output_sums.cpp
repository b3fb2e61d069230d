// OutputSums: rows of the first output as answers, all outputs as signals.
#include "quant/output_sums.h"

#include <algorithm>

#include "quant/targets.h"

namespace intmill {

std::vector<int64_t> LargestOfRow(std::span<const float> row, size_t k) {
  std::vector<int64_t> order(row.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  k = std::min(k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(),
                    [&](int64_t a, int64_t b) {
                      const float x = row[static_cast<size_t>(a)];
                      const float y = row[static_cast<size_t>(b)];
                      return x > y || (x == y && a < b);
                    });
  order.resize(k);
  return order;
}

void Hits::Count(const std::vector<int64_t>& guesses, int64_t target) {
  top1 += !guesses.empty() && guesses[0] == target ? 1 : 0;
  top5 += std::find(guesses.begin(), guesses.end(), target) != guesses.end() ? 1 : 0;
}

// Rows lie along the last dimension.
Status OutputSums::AddRows(const Tensor& reference, const Tensor& candidate,
                           const std::vector<int64_t>& targets) {
  const int64_t classes = reference.rank() > 0 ? reference.dim(reference.rank() - 1) : 1;
  if (classes == 0) return Ok();
  ASSIGN_OR_RETURN(const std::vector<float> a, ToFloats(reference));
  ASSIGN_OR_RETURN(const std::vector<float> b, ToFloats(candidate));
  const int64_t rows = reference.elements() / classes;
  if (has_targets_) TRY(CheckTargets(targets, rows, classes));
  for (int64_t row = 0; row < rows; ++row) {
    const size_t begin = static_cast<size_t>(row * classes);
    const size_t n = static_cast<size_t>(classes);
    const auto best_a = LargestOfRow({a.data() + begin, n}, 5);
    const auto best_b = LargestOfRow({b.data() + begin, n}, 5);
    agreeing_ += best_a[0] == best_b[0] ? 1 : 0;
    answers_.push_back(static_cast<int32_t>(best_a[0]));
    if (!has_targets_) continue;
    const int64_t target = targets[static_cast<size_t>(row)];
    reference_.Count(best_a, target);
    candidate_.Count(best_b, target);
  }
  rows_ += rows;
  return Ok();
}

Status OutputSums::Add(const Graph& graph, std::span<const Tensor> reference,
                       std::span<const Tensor> candidate, std::span<const Tensor> targets) {
  if (batches_ > 0 && has_targets_ != !targets.empty())
    return Error(Code::kState, "targets come with every batch or with none");
  has_targets_ = !targets.empty();
  ++batches_;
  outputs_.resize(reference.size());
  ASSIGN_OR_RETURN(const std::vector<int64_t> classes, ReadTargets(targets));
  for (size_t i = 0; i < reference.size(); ++i) {
    TRY(outputs_[i]
            .Add(reference[i], candidate[i])
            .At(Cat("output '", graph.value(graph.outputs[i]).name, "'")));
  }
  if (reference.empty()) return Ok();
  return AddRows(reference[0], candidate[0], classes);
}

double OutputSums::Percent(int64_t part) const {
  return rows_ > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(rows_) : 0.0;
}

Table OutputSums::Summary() const {
  Table table;
  table.columns = {"key", "value"};
  table.Add({"samples", rows_});
  table.Add({"agreement", Percent(agreeing_)});
  if (!has_targets_) return table;
  table.Add({"reference_top1", Percent(reference_.top1)});
  table.Add({"reference_top5", Percent(reference_.top5)});
  table.Add({"candidate_top1", Percent(candidate_.top1)});
  table.Add({"candidate_top5", Percent(candidate_.top5)});
  return table;
}

Table OutputSums::Outputs(const Graph& graph) const {
  Table table;
  table.columns = {"name", "cosine", "sqnr_db", "max_abs", "mean_abs"};
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Difference d = outputs_[i].Get();
    table.Add({graph.value(graph.outputs[i]).name, d.cosine, d.sqnr_db, d.max_abs, d.mean_abs});
  }
  return table;
}

}  // namespace intmill
