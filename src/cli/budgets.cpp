// Budgets: their options, and which of them binds.
#include "cli/budgets.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>

#include "cli/error.h"

namespace intmill::cli {
namespace {

struct Budget {
  std::string option;
  bool given;
  std::function<bool(const MixedPlan&)> keeps;
  std::string best;
};

double Least(const std::vector<MixedPlan>& plans,
             const std::function<double(const MixedPlan&)>& of) {
  double found = std::numeric_limits<double>::infinity();
  for (const MixedPlan& plan : plans) found = std::min(found, of(plan));
  return found;
}

// All that no plan keeps.
std::string BindingAlone(const std::vector<Budget>& budgets, const std::vector<MixedPlan>& plans) {
  std::string text;
  for (const Budget& budget : budgets)
    if (budget.given && std::none_of(plans.begin(), plans.end(), budget.keeps))
      text += Cat(text.empty() ? "" : ", ", budget.option,
                  " binds: no plan keeps it, the best has ", budget.best);
  return text;
}

// Those without which there would be a plan.
std::string BindingTogether(const std::vector<Budget>& budgets,
                            const std::vector<MixedPlan>& plans) {
  std::string text;
  for (const Budget& budget : budgets) {
    const bool would_do = std::any_of(plans.begin(), plans.end(), [&](const MixedPlan& plan) {
      return std::all_of(budgets.begin(), budgets.end(), [&](const Budget& other) {
        return &other == &budget || other.keeps(plan);
      });
    });
    if (budget.given && would_do)
      text += Cat(text.empty() ? "" : ", ", budget.option, " binds: without it a plan is found");
  }
  return text;
}

}  // namespace

void AddBudgetOptions(Command& command, Budgets& budgets) {
  constexpr double kMost = 1e12;
  command.Group("Budgets");
  command.Number("--max-drop", "X", budgets.max_drop, -kMost, kMost,
                 "Lose at most X by --metric: leave layers in float until that holds on the data");
  command.Number("--max-latency-ms", "MS", budgets.max_latency_ms, 0, kMost,
                 "Take at most so long for one run on this machine, with --threads or else one");
  command.Text("--max-bytes", "SIZE", budgets.max_bytes_text, Need::kOptional,
               "Write a file of at most SIZE, as 4M, 500K or 2Mi");
  command.Text("--metric", "NAME", budgets.metric, Need::kOptional,
               "top1 or top5: points lost, by --labels, or for top1 without them percent of other "
               "answers; cosine: 1 - cosine; mse: mean squared error by mean square; or the path "
               "of a program that is given a candidate file and exits with 0 when it is good "
               "enough; default top1");
  command.Group("Options");
}

int64_t ParseBytes(const std::string& text, const std::string& option) {
  constexpr std::pair<const char*, double> kUnits[] = {
      {"", 1},     {"B", 1},    {"K", 1e3},     {"M", 1e6},        {"G", 1e9},          {"KB", 1e3},
      {"MB", 1e6}, {"GB", 1e9}, {"Ki", 1024.0}, {"Mi", 1048576.0}, {"Gi", 1073741824.0}};
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  for (const auto& [unit, factor] : kUnits) {
    if (end == text.c_str() || std::string(end) != unit) continue;
    const double bytes = number * factor;
    if (bytes >= 1 && bytes < 9e18) return static_cast<int64_t>(bytes);
  }
  throw UsageError(Cat(option, ": found '", text, "', wanted a size as 4M, 500K or 2Mi"));
}

Limits::Limits(const Budgets& budgets)
    : max_drop_(budgets.max_drop), max_latency_ms_(budgets.max_latency_ms) {
  if (!budgets.max_bytes_text.empty())
    max_bytes_ = ParseBytes(budgets.max_bytes_text, "--max-bytes");
}

std::string Limits::Binding(const std::vector<MixedPlan>& plans) const {
  const auto drop = [](const MixedPlan& p) { return p.drop; };
  const auto latency = [](const MixedPlan& p) { return p.latency_ms; };
  const auto bytes = [](const MixedPlan& p) { return static_cast<double>(p.bytes); };
  const std::vector<Budget> budgets = {
      {"--max-drop", max_drop_.has_value(), [&](const MixedPlan& p) { return KeepsDrop(p); },
       FormatNumber(Least(plans, drop), 4)},
      {"--max-latency-ms", max_latency_ms_.has_value(),
       [&](const MixedPlan& p) { return KeepsLatency(p); },
       FormatNumber(Least(plans, latency), 3) + " ms"},
      {"--max-bytes", max_bytes_ != 0, [&](const MixedPlan& p) { return KeepsBytes(p); },
       FormatBytes(Least(plans, bytes))}};
  std::string text = BindingAlone(budgets, plans);
  if (text.empty()) text = BindingTogether(budgets, plans);
  return text.empty() ? "the budgets bind together: no plan keeps more than one" : text;
}

}  // namespace intmill::cli
