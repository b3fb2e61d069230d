// Budgets of a mixed model: what its user allows it to lose, to take and to weigh.
#ifndef INTMILL_CLI_BUDGETS_H
#define INTMILL_CLI_BUDGETS_H

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

// Budgets with their sizes read. A budget that was not given is always kept.
class Limits {
 public:
  explicit Limits(const Budgets& budgets);  // UsageError

  bool has_drop() const { return max_drop_.has_value(); }
  int64_t max_bytes() const { return max_bytes_; }  // 0: none
  bool KeepsDrop(const MixedPlan& plan) const {
    return !max_drop_ || plan.drop <= *max_drop_;  // false for NaN
  }
  bool KeepsRest(const MixedPlan& plan) const { return KeepsLatency(plan) && KeepsBytes(plan); }
  // Which budgets none of the plans keeps, in a sentence: a budget that no plan keeps binds by
  // itself; else those that could be given up alone.
  std::string Binding(const std::vector<MixedPlan>& plans) const;

 private:
  bool KeepsLatency(const MixedPlan& plan) const {
    return !max_latency_ms_ || plan.latency_ms <= *max_latency_ms_;
  }
  bool KeepsBytes(const MixedPlan& plan) const {
    return max_bytes_ == 0 || plan.bytes <= max_bytes_;
  }

  std::optional<double> max_drop_;
  std::optional<double> max_latency_ms_;
  int64_t max_bytes_ = 0;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_BUDGETS_H
