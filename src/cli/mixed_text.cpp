// What a search for mixed precision found, as text and as JSON.
#include <algorithm>

#include "cli/error.h"
#include "cli/json.h"
#include "cli/mixed_precision.h"
#include "cli/precisions.h"

namespace intmill::cli {
namespace {

size_t CountOf(const MixedPlan& plan, const std::string& precision) {
  return static_cast<size_t>(std::count(plan.precisions.begin(), plan.precisions.end(), precision));
}

bool Beats(const MixedPlan& a, const MixedPlan& b) {
  const bool no_worse = a.drop <= b.drop && a.latency_ms <= b.latency_ms && a.bytes <= b.bytes;
  return no_worse && (a.drop < b.drop || a.latency_ms < b.latency_ms || a.bytes < b.bytes);
}

bool IsOnFrontier(const MixedSearch& search, const MixedPlan& plan) {
  return std::none_of(search.plans.begin(), search.plans.end(),
                      [&](const MixedPlan& other) { return Beats(other, plan); });
}

}  // namespace

std::vector<MixedPlan> Frontier(const MixedSearch& search) {
  std::vector<MixedPlan> frontier;
  for (const MixedPlan& plan : search.plans)
    if (IsOnFrontier(search, plan)) frontier.push_back(plan);
  return frontier;
}

std::string PlanText(const MixedPlan& plan) {
  std::string text;
  for (const Precision& precision : kPrecisions) {
    const size_t count = CountOf(plan, precision.name);
    if (count > 0) text += Cat(text.empty() ? "" : ", ", count, " ", precision.name);
  }
  return text;
}

std::string FrontierText(const MixedSearch& search) {
  std::vector<std::vector<std::string>> rows;
  for (const MixedPlan& plan : search.plans) {
    if (!plan.is_chosen && !IsOnFrontier(search, plan)) continue;
    std::vector<std::string> row;
    for (const Precision& precision : kPrecisions)
      row.push_back(Cat(CountOf(plan, precision.name)));
    row.push_back(FormatNumber(plan.drop, 4));
    row.push_back(FormatNumber(plan.latency_ms, 3));
    row.push_back(FormatBytes(static_cast<double>(plan.bytes)));
    row.emplace_back(plan.is_chosen ? "chosen" : "");
    rows.push_back(std::move(row));
  }
  std::vector<std::string> header;
  for (const Precision& precision : kPrecisions) header.emplace_back(precision.name);
  for (const char* name : {"drop", "ms", "size", ""}) header.emplace_back(name);
  return Cat("frontier by ", search.metric, ", layers in each precision:\n",
             FormatTable(header, rows));
}

std::string ToJson(const MixedSearch& search) {
  std::vector<std::string> plans;
  std::vector<std::string> floats;
  for (const MixedPlan& plan : search.plans) {
    JsonObject layers;
    for (const Precision& precision : kPrecisions)
      layers.Integer(precision.name, static_cast<int64_t>(CountOf(plan, precision.name)));
    plans.push_back(JsonObject()
                        .Raw("layers", layers.text())
                        .Number("drop", plan.drop, 6)
                        .Number("latency_ms", plan.latency_ms, 4)
                        .Integer("bytes", plan.bytes)
                        .Raw("on_frontier", IsOnFrontier(search, plan) ? "true" : "false")
                        .Raw("chosen", plan.is_chosen ? "true" : "false")
                        .text());
    if (!plan.is_chosen) continue;
    for (size_t i = 0; i < search.layers.size(); ++i)
      if (plan.precisions[i] != kPrecisions[kIntegers].name)
        floats.push_back(JsonText(search.layers[i]));
  }
  return JsonObject()
      .Text("metric", search.metric)
      .Text("binding", search.binding)
      .Raw("float_layers", JsonArray(floats))
      .Raw("plans", JsonArray(plans))
      .text();
}

}  // namespace intmill::cli
