// Mixed precision: uniform models are profiled, layers are probed, plans come from a knapsack with
// an ever smaller budget of noise, and each is measured as a whole.
#include "cli/mixed_precision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include "cli/error.h"
#include "cli/json.h"
#include "cli/metric.h"
#include "cli/never_slower.h"
#include "cli/precisions.h"
#include "cli/saved_bytes.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

constexpr double kSeconds = 0.15;      // of timing, for each model
constexpr int64_t kProbeSamples = 32;  // of sensitivity: ranks need fewer than figures
constexpr double kStep = 4;            // by which the budget of noise shrinks, 6 dB
constexpr int kMostSteps = 12;
constexpr int kRefinements = 3;
constexpr double kNever = 1e12;  // microseconds of a layer in a precision that it cannot have

class Search {
 public:
  Search(const MixedInputs& inputs, const Budgets& budgets, Work& work)
      : in_(inputs),
        limits_(budgets),
        work_(work),
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
    Evaluate(Uniform(kIntegers));
    Evaluate(Plan(std::numeric_limits<double>::infinity()));
    Descend();
    for (const size_t p : {kBf16, kHalves}) Evaluate(WhereverItCan(p));
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

  DataOptions ProbeData() const {
    DataOptions some = in_.data;
    some.samples = some.samples == 0 ? kProbeSamples : std::min(some.samples, kProbeSamples);
    return some;
  }

  double& NoiseOf(size_t layer, size_t precision) {
    return noise_[layer * kPrecisionCount + precision];
  }

  // What each layer loses alone in integers. A layer that has no other precision is not probed.
  void Probe() {
    intmill::Probe probe = intmill::Probe::Sensitivity(in_.model, in_.calibration, work_.options());
    Feeder feeder(in_.model, in_.name, ProbeData());
    work_.ForEachBatch("sensitivity", feeder, [&](const auto& batch) { probe.Feed(batch); });
    const Report report = probe.Report(INTMILL_REPORT_SENSITIVITY);
    std::map<std::string, double> noise;  // in an order that does not depend on figures
    for (int64_t row = 0; row < report.rows(); ++row)
      noise[report.Text(row, "layer")] = FromDb(report.Number(row, "sqnr_db"));
    noise_.assign(noise.size() * kPrecisionCount, 0);
    for (const auto& [layer, integers] : noise) {
      NoiseOf(layers_.size(), kIntegers) = integers;
      layers_.push_back(layer);
    }
    result_.layers = layers_;
  }

  static double FromDb(double sqnr) {
    return std::isnan(sqnr) ? std::numeric_limits<double>::infinity() : std::pow(10, -sqnr / 10);
  }

  // Of a model that has precision p wherever it can: what it loses, in equal shares. Other layers
  // cannot have it.
  void ShareNoise(size_t p, const Model& uniform) {
    const Report report = uniform.Report(INTMILL_REPORT_LAYERS);
    std::set<std::string> covered;
    for (int64_t row = 0; row < report.rows(); ++row)
      if (report.Text(row, "scheme") == kPrecisions[p].scheme)
        covered.insert(report.Text(row, "name"));
    intmill::Probe probe = intmill::Probe::Verify(in_.model, uniform, work_.options());
    Feeder feeder(in_.model, in_.name, ProbeData());
    work_.ForEachBatch("sensitivity", feeder, [&](const auto& batch) { probe.Feed(batch); });
    const double noise =
        DropFrom("mse", probe.Report(INTMILL_REPORT_SUMMARY), probe.Report(INTMILL_REPORT_OUTPUTS));
    for (size_t i = 0; i < layers_.size(); ++i)
      NoiseOf(i, p) = covered.contains(layers_[i]) ? noise / static_cast<double>(covered.size())
                                                   : std::numeric_limits<double>::infinity();
  }

  // Microseconds and bytes of each layer in each precision, from models that have all layers in it.
  void Profile() {
    std::vector<Model> models;
    std::vector<std::unique_ptr<TimedModel>> timed(kPrecisionCount);
    std::vector<TimedModel*> pointers;
    for (size_t p = 0; p < kPrecisionCount; ++p) {
      models.push_back(Quantize(in_.model, in_.calibration, OptionsFor(Uniform(p))));
      if (kPrecisions[p].noise == NoiseFrom::kWhole) ShareNoise(p, models[p]);
      if (kPrecisions[p].computes_as_fp32 && p != kExact) continue;
      timed[p] = std::make_unique<TimedModel>(models[p], timed_options_, timing_, Detail::kSteps);
      pointers.push_back(timed[p].get());
    }
    TakeTurns(pointers, kSeconds, "profile", work_);
    microseconds_.assign(noise_.size(), 0);
    bytes_.assign(noise_.size(), 0);
    const std::vector<LayerInfo> infos = ReadLayers(in_.model);
    for (size_t p = 0; p < kPrecisionCount; ++p)
      ReadCosts(p, infos, models[p], *timed[timed[p] ? p : kExact]);
  }

  void ReadCosts(size_t p, const std::vector<LayerInfo>& infos, const Model& uniform,
                 const TimedModel& timed) {
    const LayerTimes times = SumByLayer(infos, timed.Steps());
    std::map<std::string, double> us;
    for (size_t i = 0; i < infos.size(); ++i) us[infos[i].name] = times.microseconds[i];
    const Report report = uniform.Report(INTMILL_REPORT_LAYERS);
    std::map<std::string, double> bytes;
    for (int64_t row = 0; row < report.rows(); ++row)
      bytes[report.Text(row, "name")] = report.Number(row, "bytes");
    for (size_t i = 0; i < layers_.size(); ++i) {
      const bool can_have_it = kPrecisions[p].noise != NoiseFrom::kWhole || Covers(i, p);
      microseconds_[i * kPrecisionCount + p] = can_have_it ? us[layers_[i]] : kNever;
      bytes_[i * kPrecisionCount + p] = bytes[layers_[i]];
    }
  }

  std::vector<int64_t> Uniform(size_t p) const {
    return std::vector<int64_t>(layers_.size(), static_cast<int64_t>(p));
  }

  // Everything that can be in one precision: in 16 bits half the bytes for next to no noise.
  std::vector<int64_t> WhereverItCan(size_t p) {
    std::vector<int64_t> plan = Uniform(kExact);
    for (size_t i = 0; i < plan.size(); ++i)
      if (Covers(i, p)) plan[i] = static_cast<int64_t>(p);
    return plan;
  }

  bool Covers(size_t layer, size_t p) { return std::isfinite(NoiseOf(layer, p)); }

  double Sum(const std::vector<double>& of, const std::vector<int64_t>& plan) const {
    double sum = 0;
    for (size_t i = 0; i < plan.size(); ++i)
      sum += of[i * kPrecisionCount + static_cast<size_t>(plan[i])];
    return sum;
  }

  // The fastest plan with at most so much noise. A byte has a price, at first so low that size
  // counts only where times hardly differ; it rises until the plan fits.
  std::vector<int64_t> Plan(double max_noise) const {
    const std::vector<int64_t> first = Uniform(kIntegers);
    const double bytes_of_int8 = Sum(bytes_, first);
    double price = Sum(microseconds_, first) / std::max(bytes_of_int8, 1.0) / 16;
    std::vector<int64_t> plan;
    const double overhead =
        result_.plans.empty() ? 0 : static_cast<double>(first_bytes_) - bytes_of_int8;
    for (int i = 0; i < 12; ++i) {
      std::vector<double> cost(microseconds_);
      for (size_t k = 0; k < cost.size(); ++k) cost[k] += price * bytes_[k];
      plan = PlanPrecisions(kPrecisionCount, noise_, cost, max_noise);
      if (limits_.max_bytes() == 0 ||
          Sum(bytes_, plan) + overhead <= static_cast<double>(limits_.max_bytes()))
        return plan;
      price *= 4;
    }
    return plan;
  }

  // Budgets of noise that shrink until the drop is small enough, and then some between the last
  // that was too large and the first that was not.
  void Descend() {
    if (!limits_.has_drop()) {
      double noise = TotalNoise();
      for (int i = 0; i < kMostSteps / 2; ++i) Evaluate(Plan(noise /= kStep));
      return;
    }
    double failing = TotalNoise();
    double passing = 0;
    const MixedPlan& first = result_.plans.front();
    if (limits_.KeepsDrop(first) && limits_.KeepsRest(first)) return;
    for (int i = 0; i < kMostSteps && passing == 0; ++i) {
      const double noise = failing / kStep;
      if (limits_.KeepsDrop(Evaluate(Plan(noise))))
        passing = noise;
      else
        failing = noise;
    }
    for (int i = 0; i < kRefinements && passing != 0; ++i) {
      const double noise = std::sqrt(failing * passing);
      (limits_.KeepsDrop(Evaluate(Plan(noise))) ? passing : failing) = noise;
    }
  }

  double TotalNoise() const {
    const double sum = Sum(noise_, Uniform(kIntegers));
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
    if (result_.plans.empty()) {
      Feeder feeder(in_.model, in_.name, in_.data);
      proof_bytes_ = ProofBytes(in_.model, candidate, feeder, in_.labels, std::ssize(layers_),
                                work_.options());
    }
    measured.bytes = SavedBytes(candidate) + proof_bytes_;
    measured.drop = metric_.DropOf(in_, candidate, work_);
    if (result_.plans.empty()) first_bytes_ = measured.bytes;
    index_of_[plan] = result_.plans.size();
    assignments_.push_back(plan);
    result_.plans.push_back(std::move(measured));
    return result_.plans.back();
  }

  // With a budget of accuracy the fastest that keeps all, without one the most accurate.
  void Choose() {
    std::optional<size_t> best;
    for (size_t i = 0; i < result_.plans.size(); ++i) {
      const MixedPlan& plan = result_.plans[i];
      if (!limits_.KeepsDrop(plan) || !limits_.KeepsRest(plan)) continue;
      if (!best || IsBetter(plan, result_.plans[*best])) best = i;
    }
    if (best) {
      result_.plans[*best].is_chosen = true;
      result_.model = Quantize(in_.model, in_.calibration, OptionsFor(assignments_[*best]));
    } else {
      result_.binding = limits_.Binding(result_.plans);
    }
    std::stable_sort(result_.plans.begin(), result_.plans.end(),
                     [](const auto& a, const auto& b) { return a.latency_ms < b.latency_ms; });
    for (size_t i = 0; i < result_.plans.size(); ++i)
      if (result_.plans[i].is_chosen) result_.chosen = i;
  }

  bool IsBetter(const MixedPlan& a, const MixedPlan& b) const {
    return limits_.has_drop() ? a.latency_ms < b.latency_ms : a.drop < b.drop;
  }

  const MixedInputs& in_;
  const Limits limits_;
  Work& work_;
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

}  // namespace

MixedSearch SearchMixed(const MixedInputs& inputs, const Budgets& budgets, Work& work) {
  Budgets all = budgets;
  if (all.metric_is_program() && !all.max_drop) all.max_drop = 0;
  return Search(inputs, all, work).Run();
}

}  // namespace intmill::cli
