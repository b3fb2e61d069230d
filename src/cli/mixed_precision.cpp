// Mixed precision: uniform models are profiled, layers are probed, plans come from a knapsack with
// an ever smaller budget of noise, and each is measured as a whole.
#include "cli/mixed_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "cli/error.h"
#include "cli/json.h"
#include "cli/metric.h"
#include "cli/never_slower.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

constexpr double kSeconds = 0.15;      // of timing, for each model
constexpr int64_t kProbeSamples = 32;  // of sensitivity: ranks need fewer than figures
constexpr double kStep = 4;            // by which the budget of noise shrinks, 6 dB
constexpr int kMostSteps = 12;
constexpr int kRefinements = 3;

// What a layer can be computed in. Another precision is another row.
struct Precision {
  const char* name;
  bool is_exact;    // loses nothing, and so is not probed
  intmill_opt key;  // set for a layer to have it; 0: nothing is to be set
  int64_t value;
};
constexpr Precision kPrecisions[] = {
    {"INT8", false, static_cast<intmill_opt>(0), 0},
    {"FP32", true, INTMILL_OPT_SKIP, 1},
};
constexpr size_t kCount = std::size(kPrecisions);

void Apply(const Precision& precision, const char* layer, Options& options) {
  if (precision.key != 0) options.Set(precision.key, precision.value, layer);
}

class Search {
 public:
  Search(const MixedInputs& inputs, const Budgets& budgets, Work& work)
      : in_(inputs),
        budgets_(budgets),
        work_(work),
        max_bytes_(
            budgets.max_bytes_text.empty() ? 0 : ParseBytes(budgets.max_bytes_text, "--max-bytes")),
        metric_(budgets.metric, inputs.output, !inputs.labels.empty()),
        timing_(TimingInputs(inputs.model, inputs.name, inputs.data)),
        timed_options_(Options::FromJson(work.options().Json())) {
    // One thread unless a number was asked for, as --never-slower times.
    timed_options_.Set(INTMILL_OPT_THREADS,
                       std::max<int64_t>(IntegerIn(work.options().Json(), "threads"), 1));
    result_.metric = budgets.metric;
  }

  MixedSearch Run() {
    Probe();
    Profile();
    Evaluate(std::vector<int64_t>(layers_.size(), 0));  // all in the first precision
    Evaluate(Plan(std::numeric_limits<double>::infinity()));
    Descend();
    Evaluate(Plan(0));
    Choose();
    return std::move(result_);
  }

 private:
  Options OptionsFor(const std::vector<int64_t>& plan) const {
    Options own = Options::FromJson(work_.options().Json());
    for (size_t i = 0; i < plan.size(); ++i)
      Apply(kPrecisions[static_cast<size_t>(plan[i])], layers_[i].c_str(), own);
    return own;
  }

  // The noise of each layer in each precision that loses something.
  void Probe() {
    std::map<std::string, std::vector<double>> noise;
    for (size_t p = 0; p < kCount; ++p) {
      if (kPrecisions[p].is_exact) continue;
      Options own = Options::FromJson(work_.options().Json());
      Apply(kPrecisions[p], nullptr, own);
      intmill::Probe probe = intmill::Probe::Sensitivity(in_.model, in_.calibration, own);
      DataOptions some = in_.data;
      some.samples = some.samples == 0 ? kProbeSamples : std::min(some.samples, kProbeSamples);
      Feeder feeder(in_.model, in_.name, some);
      work_.ForEachBatch("sensitivity", feeder, [&](const auto& batch) { probe.Feed(batch); });
      const Report report = probe.Report(INTMILL_REPORT_SENSITIVITY);
      for (int64_t row = 0; row < report.rows(); ++row) {
        auto& row_noise =
            noise.try_emplace(report.Text(row, "layer"), std::vector<double>(kCount, 0))
                .first->second;
        const double sqnr = report.Number(row, "sqnr_db");
        row_noise[p] =
            std::isnan(sqnr) ? std::numeric_limits<double>::infinity() : std::pow(10, -sqnr / 10);
      }
    }
    for (auto& [layer, row] : noise) {
      layers_.push_back(layer);
      noise_.insert(noise_.end(), row.begin(), row.end());
    }
    result_.layers = layers_;
  }

  // Microseconds and bytes of each layer in each precision, from models that have all layers in it.
  void Profile() {
    std::vector<TimedModel> timed;
    std::vector<TimedModel*> pointers;
    std::vector<Model> models;
    timed.reserve(kCount);
    for (size_t p = 0; p < kCount; ++p) {
      models.push_back(
          Quantize(in_.model, in_.calibration,
                   OptionsFor(std::vector<int64_t>(layers_.size(), static_cast<int64_t>(p)))));
      timed.emplace_back(models.back(), timed_options_, timing_, Detail::kSteps);
      pointers.push_back(&timed.back());
    }
    TakeTurns(pointers, kSeconds, "profile", work_);
    microseconds_.assign(noise_.size(), 0);
    bytes_.assign(noise_.size(), 0);
    const std::vector<LayerInfo> infos = ReadLayers(in_.model);
    for (size_t p = 0; p < kCount; ++p) {
      const LayerTimes times = SumByLayer(infos, timed[p].Steps());
      std::map<std::string, double> us;
      for (size_t i = 0; i < infos.size(); ++i) us[infos[i].name] = times.microseconds[i];
      const Report report = models[p].Report(INTMILL_REPORT_LAYERS);
      std::map<std::string, double> bytes;
      for (int64_t row = 0; row < report.rows(); ++row)
        bytes[report.Text(row, "name")] = report.Number(row, "bytes");
      for (size_t i = 0; i < layers_.size(); ++i) {
        microseconds_[i * kCount + p] = us[layers_[i]];
        bytes_[i * kCount + p] = bytes[layers_[i]];
      }
    }
  }

  double Sum(const std::vector<double>& of, const std::vector<int64_t>& plan) const {
    double sum = 0;
    for (size_t i = 0; i < plan.size(); ++i) sum += of[i * kCount + static_cast<size_t>(plan[i])];
    return sum;
  }

  // The fastest plan with at most so much noise. A byte has a price, at first so low that size
  // counts only where times hardly differ; it rises until the plan fits.
  std::vector<int64_t> Plan(double max_noise) const {
    const std::vector<int64_t> first(layers_.size(), 0);
    const double bytes_of_int8 = Sum(bytes_, first);
    double price = Sum(microseconds_, first) / std::max(bytes_of_int8, 1.0) / 16;
    std::vector<int64_t> plan;
    const double overhead =
        result_.plans.empty() ? 0 : static_cast<double>(first_bytes_) - bytes_of_int8;
    for (int i = 0; i < 12; ++i) {
      std::vector<double> cost(microseconds_);
      for (size_t k = 0; k < cost.size(); ++k) cost[k] += price * bytes_[k];
      plan = PlanPrecisions(kCount, noise_, cost, max_noise);
      if (max_bytes_ == 0 || Sum(bytes_, plan) + overhead <= static_cast<double>(max_bytes_))
        return plan;
      price *= 4;
    }
    return plan;
  }

  // Budgets of noise that shrink until the drop is small enough, and then some between the last
  // that was too large and the first that was not.
  void Descend() {
    if (!budgets_.max_drop) {
      double noise = TotalNoise();
      for (int i = 0; i < kMostSteps / 2; ++i) Evaluate(Plan(noise /= kStep));
      return;
    }
    double failing = TotalNoise();
    double passing = 0;
    if (KeepsDrop(result_.plans.front()) && KeepsRest(result_.plans.front())) return;
    for (int i = 0; i < kMostSteps && passing == 0; ++i) {
      const double noise = failing / kStep;
      if (KeepsDrop(Evaluate(Plan(noise))))
        passing = noise;
      else
        failing = noise;
    }
    for (int i = 0; i < kRefinements && passing != 0; ++i) {
      const double noise = std::sqrt(failing * passing);
      (KeepsDrop(Evaluate(Plan(noise))) ? passing : failing) = noise;
    }
  }

  double TotalNoise() const {
    const double sum = Sum(noise_, std::vector<int64_t>(layers_.size(), 0));
    return std::isfinite(sum) ? sum : 1;  // a signal drowned in noise
  }

  // Measured once: an equal plan was measured before.
  const MixedPlan& Evaluate(const std::vector<int64_t>& plan) {
    const auto known = index_of_.find(plan);
    if (known != index_of_.end()) return result_.plans[known->second];
    const Model candidate = Quantize(in_.model, in_.calibration, OptionsFor(plan));
    TimedModel timed(candidate, timed_options_, timing_, Detail::kWhole);
    TakeTurns({&timed}, kSeconds, "race", work_);
    MixedPlan measured;
    for (const int64_t p : plan)
      measured.precisions.emplace_back(kPrecisions[static_cast<size_t>(p)].name);
    measured.latency_ms = timed.MedianMs();
    if (result_.plans.empty()) proof_bytes_ = ProofBytes(candidate);
    measured.bytes = SavedBytes(candidate) + proof_bytes_;
    measured.drop = metric_.DropOf(in_, candidate, work_);
    if (result_.plans.empty()) first_bytes_ = measured.bytes;
    index_of_[plan] = result_.plans.size();
    assignments_.push_back(plan);
    result_.plans.push_back(std::move(measured));
    return result_.plans.back();
  }

  // At most what the certificate and the rest of the metadata will add to a file, seen on one
  // batch: other figures may have more digits, and every row has its class.
  int64_t ProofBytes(const Model& candidate) {
    Feeder feeder(in_.model, in_.name, in_.data);
    std::vector<Tensor> batch;
    std::vector<Tensor> targets;
    feeder.Next(batch);
    if (!in_.labels.empty()) targets.push_back(LabelsOf(in_.labels, feeder.batch()));
    intmill::Probe probe = intmill::Probe::Certify(in_.model, candidate, work_.options());
    probe.Feed(batch, targets);
    constexpr int64_t kMoreDigits = 48;
    constexpr int64_t kOtherMetadata = 1024;
    constexpr int64_t kClass = 4;
    return SavedBytes(Certify(candidate, probe)) - SavedBytes(candidate) + kOtherMetadata +
           kClass * feeder.count() + kMoreDigits * static_cast<int64_t>(layers_.size());
  }

  static int64_t SavedBytes(const Model& model) {
    Tensor file;
    Check(intmill_model_save_memory(model.get(), nullptr, file.Out()));
    return file.bytes();
  }

  bool KeepsDrop(const MixedPlan& plan) const {
    return !budgets_.max_drop || plan.drop <= *budgets_.max_drop;  // false for NaN
  }
  bool KeepsLatency(const MixedPlan& plan) const {
    return !budgets_.max_latency_ms || plan.latency_ms <= *budgets_.max_latency_ms;
  }
  bool KeepsBytes(const MixedPlan& plan) const {
    return max_bytes_ == 0 || plan.bytes <= max_bytes_;
  }
  bool KeepsRest(const MixedPlan& plan) const { return KeepsLatency(plan) && KeepsBytes(plan); }

  // With a budget of accuracy the fastest that keeps all, without one the most accurate.
  void Choose() {
    std::optional<size_t> best;
    for (size_t i = 0; i < result_.plans.size(); ++i) {
      const MixedPlan& plan = result_.plans[i];
      if (!KeepsDrop(plan) || !KeepsRest(plan)) continue;
      if (!best || IsBetter(plan, result_.plans[*best])) best = i;
    }
    if (best) {
      result_.plans[*best].is_chosen = true;
      result_.model = Quantize(in_.model, in_.calibration, OptionsFor(assignments_[*best]));
    } else {
      result_.binding = Binding();
    }
    std::stable_sort(result_.plans.begin(), result_.plans.end(),
                     [](const auto& a, const auto& b) { return a.latency_ms < b.latency_ms; });
    for (size_t i = 0; i < result_.plans.size(); ++i)
      if (result_.plans[i].is_chosen) result_.chosen = i;
  }

  bool IsBetter(const MixedPlan& a, const MixedPlan& b) const {
    return budgets_.max_drop ? a.latency_ms < b.latency_ms : a.drop < b.drop;
  }

  // A budget that no plan keeps binds by itself; else those that could be given up alone.
  std::string Binding() const {
    struct Budget {
      const char* option;
      bool given;
      bool (Search::*keeps)(const MixedPlan&) const;
      std::string best;
    };
    const auto least = [&](auto value) {
      double found = std::numeric_limits<double>::infinity();
      for (const MixedPlan& plan : result_.plans)
        found = std::min(found, static_cast<double>(value(plan)));
      return found;
    };
    const Budget all[] = {
        {"--max-drop", budgets_.max_drop.has_value(), &Search::KeepsDrop,
         FormatNumber(least([](const MixedPlan& p) { return p.drop; }), 4)},
        {"--max-latency-ms", budgets_.max_latency_ms.has_value(), &Search::KeepsLatency,
         FormatNumber(least([](const MixedPlan& p) { return p.latency_ms; }), 3) + " ms"},
        {"--max-bytes", max_bytes_ != 0, &Search::KeepsBytes,
         FormatBytes(least([](const MixedPlan& p) { return p.bytes; }))}};
    std::string text;
    for (const Budget& budget : all) {
      if (!budget.given) continue;
      if (std::any_of(result_.plans.begin(), result_.plans.end(),
                      [&](const MixedPlan& plan) { return (this->*budget.keeps)(plan); }))
        continue;
      text += Cat(text.empty() ? "" : ", ", budget.option,
                  " binds: no plan keeps it, the best has ", budget.best);
    }
    if (!text.empty()) return text;
    for (const Budget& budget : all) {
      const bool would_do =
          std::any_of(result_.plans.begin(), result_.plans.end(), [&](const MixedPlan& plan) {
            return std::all_of(std::begin(all), std::end(all), [&](const Budget& other) {
              return &other == &budget || (this->*other.keeps)(plan);
            });
          });
      if (budget.given && would_do)
        text += Cat(text.empty() ? "" : ", ", budget.option, " binds: without it a plan is found");
    }
    return text.empty() ? "the budgets bind together: no plan keeps more than one" : text;
  }

  const MixedInputs& in_;
  const Budgets& budgets_;
  Work& work_;
  const int64_t max_bytes_;
  Metric metric_;
  const std::vector<Tensor> timing_;
  Options timed_options_;
  std::vector<std::string> layers_;
  std::vector<double> noise_;  // a row of precisions for each layer, as all of these
  std::vector<double> microseconds_;
  std::vector<double> bytes_;
  std::map<std::vector<int64_t>, size_t> index_of_;
  std::vector<std::vector<int64_t>> assignments_;
  int64_t first_bytes_ = 0;
  int64_t proof_bytes_ = 0;
  MixedSearch result_;
};

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

MixedSearch SearchMixed(const MixedInputs& inputs, const Budgets& budgets, Work& work) {
  Budgets all = budgets;
  if (all.metric_is_program() && !all.max_drop) all.max_drop = 0;
  return Search(inputs, all, work).Run();
}

std::vector<MixedPlan> Frontier(const MixedSearch& search) {
  std::vector<MixedPlan> frontier;
  for (const MixedPlan& plan : search.plans)
    if (IsOnFrontier(search, plan)) frontier.push_back(plan);
  return frontier;
}

std::string PlanText(const MixedPlan& plan) {
  std::string text;
  for (const Precision& precision : kPrecisions)
    text += Cat(text.empty() ? "" : ", ", CountOf(plan, precision.name), " ", precision.name);
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
      if (plan.precisions[i] == "FP32") floats.push_back(JsonText(search.layers[i]));
  }
  return JsonObject()
      .Text("metric", search.metric)
      .Text("binding", search.binding)
      .Raw("float_layers", JsonArray(floats))
      .Raw("plans", JsonArray(plans))
      .text();
}

}  // namespace intmill::cli
