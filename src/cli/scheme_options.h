// The options that say how a model is quantized, and the calibration they need.
#ifndef INTMILL_CLI_SCHEME_OPTIONS_H
#define INTMILL_CLI_SCHEME_OPTIONS_H

#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace intmill::cli {

struct SchemeOptions {
  std::string method;
  std::string recipe;
  std::string target;
  std::string weight_range;
  std::string bias_correction;
  std::string precision;    // "fp16", "bf16", "bf16-compute", or "": integers
  std::string weight_only;  // "int4", "int8", or "": no
  std::string activations;  // "u8", "s8", "s16", or "": the library's default
  std::vector<std::string> int16;
  std::vector<std::string> skip;
  std::optional<double> percentile;
  bool is_dynamic = false;
  bool per_tensor = false;
  bool symmetric = false;
  int64_t group_size = -1;  // -1: the library's default
  bool has_zero_points = false;
  bool gptq = false;
  bool gptq_ordered = false;

  // Whether quantizing needs to see data, a recipe apart.
  bool NeedsData() const {
    return !is_dynamic && precision.empty() && (weight_only.empty() || gptq);
  }
};

void AddSchemeOptions(Command& command, SchemeOptions& options);
void ApplyFlags(const SchemeOptions& from, Options& to);
// A --skip or --int16 that matches nothing is a typing mistake that would cost accuracy in silence.
// `name` is the model's, for messages.
void CheckSkips(const Model& model, const std::string& name, const SchemeOptions& options);

// Feeds all of it, from as many threads as the options say.
Probe Calibrate(const Model& model, Feeder& feeder, Work& work);
int64_t SamplesOf(const Probe& calibration);
// What was seen elsewhere; Failure when that was another model.
Probe LoadCalibration(const Model& model, const std::string& name, const std::string& path,
                      Work& work);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_SCHEME_OPTIONS_H
