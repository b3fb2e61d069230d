// What sessions and bindings share: finding the plan for some inputs, and running one state.
#ifndef INTMILL_SESSION_SESSION_IMPL_H
#define INTMILL_SESSION_SESSION_IMPL_H

#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "session/plan_cache.h"
#include "session/session.h"

namespace intmill {

struct Session::Impl {
  Impl(std::shared_ptr<const Graph> g, SessionOptions o);

  // Their number, and each against the model.
  Status CheckInputs(std::span<const Tensor> inputs) const;
  // An output that is there fits the plan; one that is not is made.
  Status PrepareOutput(const Plan& plan, size_t i, Tensor& output) const;
  // With the session's thread count. The tensors have been checked.
  Status RunOn(RunState& state, std::span<const Tensor> inputs, std::span<Tensor> outputs,
               const Tap& tap) const;

  // Those of the options, for this machine.
  PassOptions Passes() const;
  // What the session's kernels depend on.
  std::vector<CompiledFact> Facts() const;
  // Whether options.compiled was made for this process; drops it when it may be rebuilt.
  Status CheckCompiled();
  const CompiledPlan* CompiledFor(std::span<const Shape> shapes) const;
  Result<std::shared_ptr<const Plan>> BuildPlan(std::span<const Shape> shapes,
                                                std::span<const Tensor> values) const;

  std::shared_ptr<const Graph> graph;
  SessionOptions options;
  int64_t threads;
  PlanCache plans;
};

}  // namespace intmill

#endif  // INTMILL_SESSION_SESSION_IMPL_H
