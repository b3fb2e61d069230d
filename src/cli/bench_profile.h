// What 'intmill bench --profile' tells: every step of a run, its time, its rate, and what is wrong.
#ifndef INTMILL_CLI_BENCH_PROFILE_H
#define INTMILL_CLI_BENCH_PROFILE_H

#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/layer_times.h"

namespace intmill::cli {

struct ModelProfile {
  std::vector<StepTime> steps;     // in running order
  std::vector<std::string> notes;  // of each step; "" when all is well
  double total_us = 0;
  double median_ms = 0;  // of whole runs with the clock in them
};

ModelProfile ProfileSteps(const Model& model, const std::vector<Tensor>& inputs, double seconds,
                          Work& work);

// Why a step is not as fast as it could be: it runs its plain definition, or it computes in floats
// in a model that is quantized.
std::vector<std::string> NotesOf(const std::vector<StepTime>& steps,
                                 const std::vector<LayerInfo>& layers);

std::string ToText(const ModelProfile& profile);
std::string ToJson(const ModelProfile& profile);  // an array

}  // namespace intmill::cli

#endif  // INTMILL_CLI_BENCH_PROFILE_H
