// Broken model files, tried one by one: each gives an error with a message or a model that can be
// run; nothing may crash or hang.
#ifndef INTMILL_TESTS_ROBUSTNESS_CASES_H
#define INTMILL_TESTS_ROBUSTNESS_CASES_H

#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill::test {

// Small random values, dynamic dimensions of 2; none when they would be large.
std::vector<Tensor> InputsFor(const Graph& graph);

// One byte of `bytes` changed; the same change for the same i on every machine.
std::string Changed(std::string bytes, int64_t i);

// Tries make(0) to make(n - 1); returns how many went wrong. The caller must not have run anything
// in parallel, as this forks.
int RunCases(const std::string& what, int64_t n, const std::function<std::string(int64_t)>& make);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_ROBUSTNESS_CASES_H
