// A model that is loaded and has its input: something to run and take the time of.
#ifndef INTMILL_TESTS_BENCH_COMPARE_RUNNER_H
#define INTMILL_TESTS_BENCH_COMPARE_RUNNER_H

#include <memory>
#include <string>
#include <vector>

#include "intmill/intmill.hpp"

namespace intmill::bench {

class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  virtual ~Runner() = default;
  virtual void Run() = 0;
  virtual bool OutputsAreFinite() const = 0;  // of the last run
};

// One batch for the inputs of a model: normally distributed floats, zeros of anything else. A first
// size that is free becomes 1; throws when another one is.
std::vector<Tensor> MakeInputs(const std::vector<Port>& ports, uint32_t seed);

bool AllFinite(const float* values, int64_t count);

}  // namespace intmill::bench

#endif  // INTMILL_TESTS_BENCH_COMPARE_RUNNER_H
