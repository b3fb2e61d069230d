// Metric: how much a candidate loses against its float model, in one number.
#ifndef INTMILL_CLI_METRIC_H
#define INTMILL_CLI_METRIC_H

#include <string>

#include "cli/command.h"

namespace intmill::cli {

struct MixedInputs;

class Metric {
 public:
  // UsageError when labels are needed and missing, or `name` is neither a metric nor a program.
  // A program is given a file beside `output`.
  Metric(std::string name, std::string output, bool has_labels);

  // On all of the data; of a program its exit code.
  double DropOf(const MixedInputs& inputs, const Model& candidate, Work& work) const;

 private:
  double ExitCode(const Model& candidate) const;

  std::string name_;
  std::string output_;
  bool is_program_ = false;
};

// Of a verifying probe's reports; NaN where there is no such figure.
double DropFrom(const std::string& metric, const Report& summary, const Report& outputs);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_METRIC_H
