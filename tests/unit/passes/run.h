// What tests that hold a compiled graph against the same one without some passes have in common.
#ifndef INTMILL_TESTS_UNIT_PASSES_RUN_H
#define INTMILL_TESTS_UNIT_PASSES_RUN_H

#include <memory>
#include <string>
#include <vector>

#include "session/session.h"
#include "unit/passes/check.h"

namespace intmill::test {

// The outputs for InputsOf(graph).
inline std::vector<Tensor> RunPlan(const Graph& graph, int64_t threads,
                                   const std::vector<std::string>& disabled) {
  SessionOptions options{.threads = threads};
  options.passes.disabled = disabled;
  const auto session = Session::Create(std::make_shared<const Graph>(graph), options);
  cr_assert(session.ok(), "%s", session.status().message().c_str());
  std::vector<Tensor> outputs(graph.outputs.size());
  const Status status = (*session)->Run(InputsOf(graph), outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return outputs;
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_PASSES_RUN_H
