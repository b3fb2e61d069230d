// Verifier: runs both models on each batch and adds up what separates them.
#include "quant/verify.h"

#include <string>
#include <vector>

#include "quant/output_sums.h"

namespace intmill {
namespace {

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

Status CheckSamePorts(const Graph& reference, const Graph& candidate) {
  TRY(CheckPorts(reference, candidate, "input", reference.inputs, candidate.inputs, true));
  return CheckPorts(reference, candidate, "output", reference.outputs, candidate.outputs, false);
}

struct Verifier::Impl {
  std::shared_ptr<const Graph> graph;
  std::shared_ptr<const Session> reference;
  std::shared_ptr<const Session> candidate;
  OutputSums sums;

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
  TRY(CheckSamePorts(*reference, *candidate));
  auto impl = std::make_unique<Impl>();
  impl->graph = reference;
  ASSIGN_OR_RETURN(impl->reference, Session::Create(reference, options));
  ASSIGN_OR_RETURN(impl->candidate, Session::Create(candidate, options));
  return std::make_unique<Verifier>(std::move(impl));
}

Status Verifier::Feed(std::span<const Tensor> inputs, std::span<const Tensor> targets) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> a, impl_->Run(*impl_->reference, inputs));
  ASSIGN_OR_RETURN(const std::vector<Tensor> b, impl_->Run(*impl_->candidate, inputs));
  OutputSums sums = impl_->sums;
  TRY(sums.Add(*impl_->graph, a, b, targets));
  impl_->sums = std::move(sums);
  return Ok();
}

Table Verifier::Summary() const { return impl_->sums.Summary(); }
Table Verifier::Outputs() const { return impl_->sums.Outputs(*impl_->graph); }

}  // namespace intmill
