// TimedModel: blocks of runs, and what a session's profile grew by in each.
#include "cli/timed_model.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <sstream>

namespace intmill::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kBlockMs = 5;  // long beside the clock's resolution, short beside other work
constexpr double kMostRunsInBlock = 64;
constexpr int kWarmUpRuns = 3;
constexpr int kLeastBlocks = 9;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// "1x16x?x?": a free size counts as 1.
double ElementsOf(std::string shape) {
  std::replace(shape.begin(), shape.end(), 'x', ' ');
  double elements = 1;
  for (const std::string& dim : Words(shape)) {
    const double size = std::strtod(dim.c_str(), nullptr);
    if (size > 0) elements *= size;
  }
  return elements;
}

}  // namespace

double Median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

TimedModel::TimedModel(const Model& model, const Options& options,
                       const std::vector<Tensor>& inputs, Detail detail)
    : detail_(detail) {
  Options own = Options::FromJson(options.Json());
  own.Set(INTMILL_OPT_PROFILE, int64_t{detail == Detail::kSteps});
  session_ = Session(model, own);
  binding_ = std::make_unique<Binding>(session_);
  for (size_t i = 0; i < inputs.size(); ++i)
    binding_->Set(INTMILL_INPUT, static_cast<int64_t>(i), inputs[i]);
  double fastest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kWarmUpRuns; ++i) fastest = std::min(fastest, RunOnce());
  runs_in_block_ = static_cast<int64_t>(std::clamp(kBlockMs / fastest, 1.0, kMostRunsInBlock));
}

double TimedModel::RunOnce() {
  const auto start = Clock::now();
  binding_->Run();
  return MillisecondsSince(start);
}

Report TimedModel::Profile() const { return session_.Report(INTMILL_REPORT_PROFILE); }

void TimedModel::RunBlock() {
  RunOnce();
  const Report before = detail_ == Detail::kSteps ? Profile() : Report();
  for (int64_t i = 0; i < runs_in_block_; ++i) milliseconds_.push_back(RunOnce());
  if (!before) return;
  const Report after = Profile();
  const int64_t calls = after.Column("calls");
  const int64_t microseconds = after.Column("microseconds");
  const auto grown = [&](int64_t row, int64_t column) {
    return intmill_report_f64(after.get(), row, column) -
           intmill_report_f64(before.get(), row, column);
  };
  std::vector<double>& averages = step_averages_.emplace_back();
  for (int64_t row = 0; row < after.rows(); ++row)
    averages.push_back(grown(row, microseconds) / std::max(grown(row, calls), 1.0));
}

double TimedModel::MedianMs() const { return Median(milliseconds_); }

// A session keeps one plan for a shape, so every block saw the same rows.
std::vector<StepTime> TimedModel::Steps() const {
  const Report report = Profile();
  std::vector<StepTime> steps;
  for (int64_t row = 0; row < report.rows(); ++row) {
    if (report.Number(row, "calls") <= 0) continue;
    std::vector<double> averages;
    for (const auto& block : step_averages_) averages.push_back(block[static_cast<size_t>(row)]);
    steps.push_back({.layer = report.Text(row, "layer"),
                     .op = report.Text(row, "op"),
                     .kernel = report.Text(row, "kernel"),
                     .isa = report.Text(row, "isa"),
                     .note = report.Text(row, "note"),
                     .dtype = report.Text(row, "dtype"),
                     .multiply_adds = report.Number(row, "multiply_adds"),
                     .microseconds = Median(std::move(averages))});
  }
  return steps;
}

void TakeTurns(const std::vector<TimedModel*>& models, double seconds, const std::string& stage,
               Work& work) {
  const double wanted = seconds * 1000 * static_cast<double>(models.size());
  const auto start = Clock::now();
  for (int block = 0; block < kLeastBlocks || MillisecondsSince(start) < wanted; ++block) {
    ThrowIfInterrupted();
    for (TimedModel* model : models) model->RunBlock();
    work.line().Show(stage, static_cast<int64_t>(MillisecondsSince(start)),
                     static_cast<int64_t>(wanted));
  }
  work.line().Clear();
}

std::vector<LayerInfo> ReadLayers(const Model& model) {
  std::vector<LayerInfo> layers;
  for (const Port& port : model.Ports(INTMILL_INPUT)) {
    LayerInfo input{.op = "Input", .outputs = {port.name}, .elements = 1};
    for (const int64_t dim : port.dims)
      if (dim > 0) input.elements *= static_cast<double>(dim);
    layers.push_back(std::move(input));
  }
  const Report report = model.Report(INTMILL_REPORT_LAYERS);
  for (int64_t row = 0; row < report.rows(); ++row) {
    layers.push_back({.name = report.Text(row, "name"),
                      .op = report.Text(row, "op"),
                      .scheme = report.Text(row, "scheme"),
                      .activations = report.Text(row, "activations"),
                      .note = report.Text(row, "note"),
                      .inputs = Words(report.Text(row, "inputs")),
                      .outputs = Words(report.Text(row, "outputs")),
                      .elements = ElementsOf(report.Text(row, "shape"))});
  }
  return layers;
}

}  // namespace intmill::cli
