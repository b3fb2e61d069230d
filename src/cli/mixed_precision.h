// Mixed precision: which layers compute in what, so that a model keeps within the user's budgets of
// accuracy, time and size. Planned from measurements, and believed only when the whole model ran.
#ifndef INTMILL_CLI_MIXED_PRECISION_H
#define INTMILL_CLI_MIXED_PRECISION_H

#include <optional>
#include <string>
#include <vector>

#include "cli/budgets.h"

namespace intmill::cli {

struct MixedSearch {
  std::string metric;
  std::vector<std::string> layers;
  std::vector<MixedPlan> plans;  // all that were measured, the fastest first
  std::optional<size_t> chosen;  // into plans
  std::string binding;           // which budget binds; "" when one was chosen
  Model model;                   // of the chosen plan
};

struct MixedInputs {
  const Model& model;
  const std::string& name;  // of the model, for messages
  const Probe& calibration;
  const DataOptions& data;
  const std::vector<int64_t>& labels;
  const std::string& output;  // beside which a candidate lies while a program looks at it
};
MixedSearch SearchMixed(const MixedInputs& inputs, const Budgets& budgets, Work& work);

// The plans that no other beats in everything: drop, time and bytes.
std::vector<MixedPlan> Frontier(const MixedSearch& search);
// "50 INT8, 3 FP32"
std::string PlanText(const MixedPlan& plan);
std::string FrontierText(const MixedSearch& search);
std::string ToJson(const MixedSearch& search);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_MIXED_PRECISION_H
