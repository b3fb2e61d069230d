// Mixed precision: which layers compute in what, so that a model keeps within the user's budgets of
// accuracy, time and size. Planned from measurements, and believed only when the whole model ran.
#ifndef INTMILL_CLI_MIXED_PRECISION_H
#define INTMILL_CLI_MIXED_PRECISION_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace intmill::cli {

struct Budgets {
  std::string metric = "top1";  // top1, top5, cosine, mse, or a program
  std::optional<double> max_drop;
  std::optional<double> max_latency_ms;
  std::string max_bytes_text;  // "4M"

  bool metric_is_program() const {
    return metric != "top1" && metric != "top5" && metric != "cosine" && metric != "mse";
  }
  bool any() const {
    return max_drop || max_latency_ms || !max_bytes_text.empty() || metric_is_program();
  }
};
void AddBudgetOptions(Command& command, Budgets& budgets);
// "4M" is 4,000,000; K, M and G, or Ki, Mi and Gi for powers of 1024. UsageError.
int64_t ParseBytes(const std::string& text, const std::string& option);

// One assignment of precisions, measured.
struct MixedPlan {
  std::vector<std::string> precisions;  // one a layer of the search
  double drop = 0;                      // in the metric's unit; of a program its exit code
  double latency_ms = 0;
  int64_t bytes = 0;  // of the file, at most: its certificate is written last
  bool is_chosen = false;
};

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
