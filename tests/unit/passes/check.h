// What tests of passes have in common: run them, and hold the graph to what it computed before.
#ifndef INTMILL_TESTS_UNIT_PASSES_CHECK_H
#define INTMILL_TESTS_UNIT_PASSES_CHECK_H

#include <criterion/criterion.h>
#include <string>
#include <vector>

#include "ir/print.h"
#include "passes/pipeline.h"
#include "support/close.h"
#include "support/graphs.h"

namespace intmill::test {

// "" when both graphs compute the same for these inputs.
inline std::string Compares(const Graph& found, const Graph& wanted,
                            const std::vector<Tensor>& inputs, Tolerance tolerance) {
  const Result<std::vector<Tensor>> a = Interpret(found, inputs);
  const Result<std::vector<Tensor>> b = Interpret(wanted, inputs);
  if (!a.ok()) return a.status().message();
  if (!b.ok()) return b.status().message();
  for (size_t i = 0; i < b->size(); ++i) {
    const std::string difference = Differs((*a)[i], (*b)[i], tolerance);
    if (!difference.empty()) return Cat("output ", i, ": ", difference, "\n", Print(found));
  }
  return "";
}

inline Graph Loaded(const Graph& graph, const PassOptions& options = {}) {
  Graph copy = graph;
  const Status status = RunLoadPasses(copy, options);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return copy;
}

inline Graph Compiled(const Graph& graph, const std::vector<Tensor>& inputs,
                      const PassOptions& options = {}) {
  std::vector<Shape> shapes;
  for (const Tensor& t : inputs) shapes.push_back(t.shape());
  Result<Graph> result = Specialize(graph, shapes, options);
  cr_assert(result.ok(), "%s", result.status().message().c_str());
  return *std::move(result);
}

// Random floats for every input, whose shapes are known.
inline std::vector<Tensor> InputsOf(const Graph& graph) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs)
    inputs.push_back(RandomTensor(*graph.value(id).shape, static_cast<unsigned>(id) + 1));
  return inputs;
}

inline void ExpectSame(const Graph& found, const Graph& wanted, const std::vector<Tensor>& inputs,
                       Tolerance tolerance = {}) {
  const std::string difference = Compares(found, wanted, inputs, tolerance);
  cr_expect(difference.empty(), "%s", difference.c_str());
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_PASSES_CHECK_H
