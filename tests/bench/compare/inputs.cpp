// Made-up input for any model.
#include <algorithm>
#include <cmath>
#include <random>

#include "bench/compare/runner.h"

namespace intmill::bench {
namespace {

std::vector<int64_t> DimsOf(const Port& port) {
  std::vector<int64_t> dims = port.dims;
  if (!dims.empty() && dims[0] == -1) dims[0] = 1;
  if (port.rank < 0 || std::find(dims.begin(), dims.end(), -1) != dims.end())
    throw std::runtime_error("input '" + port.name + "' has free sizes");
  return dims;
}

}  // namespace

std::vector<Tensor> MakeInputs(const std::vector<Port>& ports, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<Tensor> inputs;
  for (const Port& port : ports) {
    inputs.emplace_back(port.dtype, DimsOf(port));
    if (port.dtype != INTMILL_F32) continue;
    float* const data = inputs.back().data<float>();
    std::generate_n(data, inputs.back().bytes() / int64_t{sizeof(float)},
                    [&] { return normal(random); });
  }
  return inputs;
}

bool AllFinite(const float* values, int64_t count) {
  return std::all_of(values, values + count, [](float value) { return std::isfinite(value); });
}

}  // namespace intmill::bench
