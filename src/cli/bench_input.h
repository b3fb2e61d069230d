// Made-up input for a model whose speed is to be measured.
#ifndef INTMILL_CLI_BENCH_INPUT_H
#define INTMILL_CLI_BENCH_INPUT_H

#include <cstdint>
#include <string>
#include <vector>

#include <intmill/intmill.hpp>

namespace intmill::cli {

struct InputOptions {
  std::string model;                // its file, for messages
  std::vector<std::string> shapes;  // NAME=1x3x224x224, or without NAME= where there is one input
  int64_t batch = 1;                // size of a free first dimension
};

// One tensor for each input: random numbers, the same in every run; integers wider than a byte are
// 0, which is a valid index everywhere. Sizes that are still free are a UsageError.
std::vector<Tensor> MakeInputs(const Model& model, const InputOptions& options);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_BENCH_INPUT_H
