// Deterministic data for the tests of statistics and observers.
#ifndef INTMILL_TESTS_UNIT_QUANT_DATA_H
#define INTMILL_TESTS_UNIT_QUANT_DATA_H

#include <algorithm>
#include <random>
#include <vector>

// std::normal_distribution may differ between standard libraries; twelve uniforms do not.
inline std::vector<float> Normal(int n, unsigned seed, float sigma = 1.0f) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& value : values) {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
    value = static_cast<float>(sum - 6.0) * sigma;
  }
  return values;
}

inline std::vector<float> Relu(std::vector<float> values) {
  for (float& value : values) value = std::max(value, 0.0f);
  return values;
}

#endif  // INTMILL_TESTS_UNIT_QUANT_DATA_H
