// What 'intmill bench --compare' tells: an INT8 model beside its float model, layer by layer.
#ifndef INTMILL_CLI_BENCH_COMPARE_H
#define INTMILL_CLI_BENCH_COMPARE_H

#include <string>
#include <vector>

#include "cli/command.h"

namespace intmill::cli {

struct ComparedLayer {
  std::string layer;
  std::string op;
  double fp32_us = 0;  // 0: part of another layer in this model
  double int8_us = 0;
};

struct Comparison {
  std::string reference;  // file of the float model
  double fp32_ms = 0;
  double int8_ms = 0;
  std::vector<ComparedLayer>
      layers;  // in running order of the float model; then what is no layer's
};

// Loads the float model from `reference`. `candidate` is the file of `model`, for messages.
Comparison CompareWith(const std::string& reference, const std::string& candidate,
                       const Model& model, const std::vector<Tensor>& inputs, double seconds,
                       Work& work);

// By more than what the clock cannot tell apart.
bool IsSlower(const ComparedLayer& layer);

std::string ToText(const Comparison& comparison);
std::string ToJson(const Comparison& comparison);  // an object

}  // namespace intmill::cli

#endif  // INTMILL_CLI_BENCH_COMPARE_H
