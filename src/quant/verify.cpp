// Verifier: runs both models on each batch and adds up what separates them.
#include "quant/verify.h"

#include <algorithm>
#include <string>
#include <vector>

#include "quant/targets.h"
#include "tensor/compare.h"

namespace intmill {
namespace {

// The indices of the `k` largest values of a row, the largest first; of equals the first.
std::vector<int64_t> Largest(std::span<const float> row, size_t k) {
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

struct Hits {
  int64_t top1 = 0;
  int64_t top5 = 0;

  void Count(const std::vector<int64_t>& guesses, int64_t target) {
    top1 += !guesses.empty() && guesses[0] == target ? 1 : 0;
    top5 += std::find(guesses.begin(), guesses.end(), target) != guesses.end() ? 1 : 0;
  }
};

// Everything that is added up; copied before a batch so that a failing one leaves no trace.
struct Sums {
  int64_t batches = 0;
  int64_t rows = 0;
  int64_t agreeing = 0;
  bool has_targets = false;
  Hits reference;
  Hits candidate;
  std::vector<Comparison> outputs;
};

Status CheckPorts(const Graph& reference, const Graph& candidate, const char* side,
                  const std::vector<ValueId>& a, const std::vector<ValueId>& b, bool types) {
  if (a.size() != b.size())
    return Error(Code::kShape, "the models have ", a.size(), " and ", b.size(), " ", side, "s");
  for (size_t i = 0; i < a.size(); ++i) {
    const Value& x = reference.value(a[i]);
    const Value& y = candidate.value(b[i]);
    if (types && x.dtype != y.dtype)
      return Error(Code::kShape, side, " '", x.name, "' is ", DTypeName(x.dtype), " and ",
                   DTypeName(y.dtype));
    if (!x.shape || !y.shape) continue;
    bool fits = x.shape->size() == y.shape->size();
    for (size_t d = 0; fits && d < x.shape->size(); ++d)
      fits = (*x.shape)[d] == (*y.shape)[d] || (*x.shape)[d] < 0 || (*y.shape)[d] < 0;
    if (!fits)
      return Error(Code::kShape, side, " '", x.name, "' is ", ToString(*x.shape), " and ",
                   ToString(*y.shape));
  }
  return Ok();
}

}  // namespace

struct Verifier::Impl {
  std::shared_ptr<const Graph> graph;
  std::shared_ptr<const Session> reference;
  std::shared_ptr<const Session> candidate;
  Sums sums;

  Result<std::vector<Tensor>> Run(const Session& session, std::span<const Tensor> inputs) const {
    std::vector<Tensor> outputs(graph->outputs.size());
    TRY(session.Run(inputs, outputs));
    return outputs;
  }
};

Verifier::Verifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Verifier::~Verifier() = default;

Result<std::unique_ptr<Verifier>> Verifier::Create(std::shared_ptr<const Graph> reference,
                                                   std::shared_ptr<const Graph> candidate,
                                                   SessionOptions options) {
  TRY(CheckPorts(*reference, *candidate, "input", reference->inputs, candidate->inputs, true));
  TRY(CheckPorts(*reference, *candidate, "output", reference->outputs, candidate->outputs, false));
  auto impl = std::make_unique<Impl>();
  impl->graph = reference;
  ASSIGN_OR_RETURN(impl->reference, Session::Create(reference, options));
  ASSIGN_OR_RETURN(impl->candidate, Session::Create(candidate, options));
  impl->sums.outputs.resize(reference->outputs.size());
  return std::make_unique<Verifier>(std::move(impl));
}

namespace {

// Adds the rows of the first output, each along its last dimension.
Status AddRows(const Tensor& reference, const Tensor& candidate,
               const std::vector<int64_t>& targets, Sums* sums) {
  const int64_t classes = reference.rank() > 0 ? reference.dim(reference.rank() - 1) : 1;
  if (classes == 0) return Ok();
  ASSIGN_OR_RETURN(const std::vector<float> a, ToFloats(reference));
  ASSIGN_OR_RETURN(const std::vector<float> b, ToFloats(candidate));
  const int64_t rows = reference.elements() / classes;
  if (sums->has_targets) TRY(CheckTargets(targets, rows, classes));
  for (int64_t row = 0; row < rows; ++row) {
    const size_t begin = static_cast<size_t>(row * classes);
    const size_t n = static_cast<size_t>(classes);
    const auto best_a = Largest({a.data() + begin, n}, 5);
    const auto best_b = Largest({b.data() + begin, n}, 5);
    sums->agreeing += best_a[0] == best_b[0] ? 1 : 0;
    if (!sums->has_targets) continue;
    const int64_t target = targets[static_cast<size_t>(row)];
    sums->reference.Count(best_a, target);
    sums->candidate.Count(best_b, target);
  }
  sums->rows += rows;
  return Ok();
}

}  // namespace

Status Verifier::Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  Sums sums = impl_->sums;
  if (sums.batches > 0 && sums.has_targets != !targets.empty())
    return Error(Code::kState, "targets come with every batch or with none");
  sums.has_targets = !targets.empty();
  ++sums.batches;
  ASSIGN_OR_RETURN(const std::vector<int64_t> classes, ReadTargets(targets));

  ASSIGN_OR_RETURN(const std::vector<Tensor> a, impl_->Run(*impl_->reference, inputs));
  ASSIGN_OR_RETURN(const std::vector<Tensor> b, impl_->Run(*impl_->candidate, inputs));
  for (size_t i = 0; i < a.size(); ++i) {
    TRY(sums.outputs[i]
            .Add(a[i], b[i])
            .At(Cat("output '", impl_->graph->value(impl_->graph->outputs[i]).name, "'")));
  }
  if (!a.empty()) TRY(AddRows(a[0], b[0], classes, &sums));
  impl_->sums = std::move(sums);
  return Ok();
}

Table Verifier::Summary() const {
  const Sums& sums = impl_->sums;
  const auto percent = [&](int64_t n) {
    return sums.rows > 0 ? 100.0 * static_cast<double>(n) / static_cast<double>(sums.rows) : 0.0;
  };
  Table table;
  table.columns = {"key", "value"};
  table.Add({"samples", sums.rows});
  table.Add({"agreement", percent(sums.agreeing)});
  if (!sums.has_targets) return table;
  table.Add({"reference_top1", percent(sums.reference.top1)});
  table.Add({"reference_top5", percent(sums.reference.top5)});
  table.Add({"candidate_top1", percent(sums.candidate.top1)});
  table.Add({"candidate_top5", percent(sums.candidate.top5)});
  return table;
}

Table Verifier::Outputs() const {
  Table table;
  table.columns = {"name", "cosine", "sqnr_db", "max_abs", "mean_abs"};
  for (size_t i = 0; i < impl_->sums.outputs.size(); ++i) {
    const Difference d = impl_->sums.outputs[i].Get();
    table.Add({impl_->graph->value(impl_->graph->outputs[i]).name, d.cosine, d.sqnr_db, d.max_abs,
               d.mean_abs});
  }
  return table;
}

}  // namespace intmill
