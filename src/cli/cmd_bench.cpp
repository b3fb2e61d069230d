// intmill bench: how fast a model runs here, one run after another.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "cli/bench_compare.h"
#include "cli/bench_input.h"
#include "cli/bench_profile.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 3;
constexpr size_t kLeastRuns = 5;
constexpr double kDefaultSeconds = 3;

struct BenchOptions {
  CommonOptions common;
  InputOptions input;
  std::string compared;
  std::optional<double> duration;
  bool profile = false;
};

double Milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// Milliseconds of each run, sorted.
std::vector<double> TimeRuns(Binding& binding, double seconds, Work& work) {
  for (int i = 0; i < kWarmUpRuns; ++i) binding.Run();
  std::vector<double> times;
  const auto start = Clock::now();
  const auto wanted = std::chrono::duration<double>(seconds);
  while (times.size() < kLeastRuns || Clock::now() - start < wanted) {
    ThrowIfInterrupted();
    const auto begin = Clock::now();
    binding.Run();
    times.push_back(Milliseconds(Clock::now() - begin));
    work.line().Show("bench", static_cast<int64_t>(Milliseconds(Clock::now() - start)),
                     static_cast<int64_t>(seconds * 1000));
  }
  work.line().Clear();
  std::sort(times.begin(), times.end());
  return times;
}

// The smallest time that `share` of the runs did not exceed.
double Quantile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

struct Measurement {
  double load_ms = 0;
  double peak_mb = 0;
  int64_t batch = 1;
  int64_t threads = 1;
  std::string isa;
  std::vector<double> times;
};

std::string Fact(const Report& doctor, const char* key) {
  return doctor.Text(doctor.Row(key), "value");
}

// Fills in `inputs` too, for whatever follows.
Measurement Measure(const BenchOptions& options, Work& work, Model& model,
                    std::vector<Tensor>& inputs) {
  Measurement result;
  const auto start = Clock::now();
  model = work.Load(options.input.model);
  const Session session(model, work.options());
  Binding binding(session);
  result.load_ms = Milliseconds(Clock::now() - start);

  inputs = MakeInputs(model, options.input);
  for (size_t i = 0; i < inputs.size(); ++i)
    binding.Set(INTMILL_INPUT, static_cast<int64_t>(i), inputs[i]);
  if (!inputs.empty() && !inputs[0].dims().empty()) result.batch = inputs[0].dims()[0];
  result.times = TimeRuns(binding, options.duration.value_or(kDefaultSeconds), work);
  result.peak_mb = PeakMemoryMb();
  result.threads = work.Threads();
  Report doctor;
  Check(intmill_doctor(doctor.Out()));
  result.isa = Fact(doctor, "isa_effective");
  return result;
}

JsonObject ToJson(const BenchOptions& options, const Measurement& measured) {
  return JsonObject()
      .Text("model", options.input.model)
      .Integer("threads", measured.threads)
      .Integer("batch", measured.batch)
      .Number("median_ms", Quantile(measured.times, 0.5), 4)
      .Number("p90_ms", Quantile(measured.times, 0.9), 4)
      .Number("min_ms", measured.times.front(), 4)
      .Number("load_ms", measured.load_ms, 3)
      .Number("peak_rss_mb", measured.peak_mb, 1)
      .Integer("runs", std::ssize(measured.times))
      .Text("isa", measured.isa);
}

std::string ToText(const BenchOptions& options, const Measurement& measured) {
  const double median = Quantile(measured.times, 0.5);
  return Cat(options.input.model, "  batch ", measured.batch, ", ", measured.threads, " threads, ",
             measured.isa, "\n") +
         FormatTable({"median ms", "p90 ms", "min ms", "runs", "samples/s", "load ms", "peak MB"},
                     {{FormatNumber(median, 3), FormatNumber(Quantile(measured.times, 0.9), 3),
                       FormatNumber(measured.times.front(), 3), Cat(measured.times.size()),
                       FormatNumber(static_cast<double>(measured.batch) * 1000 / median, 1),
                       FormatNumber(measured.load_ms, 1), FormatNumber(measured.peak_mb, 1)}});
}

int Bench(const BenchOptions& options) {
  Work work(options.common);
  Model model;
  std::vector<Tensor> inputs;
  const Measurement measured = Measure(options, work, model, inputs);
  const double seconds = options.duration.value_or(kDefaultSeconds);
  JsonObject json = ToJson(options, measured);
  std::string text = ToText(options, measured);
  if (options.profile) {
    const ModelProfile profile = ProfileSteps(model, inputs, seconds, work);
    json.Raw("profile", ToJson(profile));
    text += "\n" + ToText(profile);
  }
  if (!options.compared.empty()) {
    const Comparison comparison =
        CompareWith(options.compared, options.input.model, model, inputs, seconds, work);
    json.Raw("compare", ToJson(comparison));
    text += "\n" + ToText(comparison);
  }
  std::printf("%s", options.common.json ? Cat(json.text(), "\n").c_str() : text.c_str());
  return 0;
}

constexpr const char* kFooter =
    "Loads and compiles MODEL, then runs it again and again on random input with fixed buffers, "
    "and\n"
    "takes the time of each run. Median, 90th percentile and minimum are per run, not per sample.\n"
    "load ms is from opening the file to being ready, or with free shapes to the first run.\n"
    "Compare models on an idle machine, with the same --threads, and more than once.\n"
    "\n"
    "--profile runs on with a clock at every step, which makes runs a little slower. GOP/s counts "
    "a\n"
    "multiplication and an addition as two operations. The note says what ran by its plain\n"
    "definition because no kernel fits, what a quantized model computes in floats, and why.\n"
    "--compare lets both models take turns. Time for quantizing, dequantizing or reordering a "
    "value\n"
    "counts with the layer that needs it.\n"
    "\n"
    "Examples:\n"
    "  intmill bench model.im\n"
    "  intmill bench model.im --threads 1 --duration 10 --batch 8\n"
    "  intmill bench model.onnx --shape image=1x3x224x224 --json\n"
    "  intmill bench model.im --threads 1 --profile --compare model.onnx\n"
    "\n"
    "JSON: {\"model\",\"threads\",\"batch\",\"median_ms\",\"p90_ms\",\"min_ms\",\"load_ms\",\n"
    "\"peak_rss_mb\",\"runs\",\"isa\"}; megabytes of 10^6 bytes. With --profile also \"profile\":\n"
    "[{\"layer\",\"op\",\"kernel\",\"isa\",\"us\",\"gops\",\"share\",\"note\"}], gops null where "
    "nothing is\n"
    "multiplied, share in percent. With --compare also \"compare\": "
    "{\"model\",\"fp32_ms\",\"int8_ms\",\n"
    "\"ratio\",\"layers\":[{\"layer\",\"op\",\"fp32_us\",\"int8_us\"}],\"slower\":[layer names]}.";

}  // namespace

void AddBench(CommandLine& line) {
  auto options = std::make_shared<BenchOptions>();
  Command command = line.Add("bench", "Measure how fast a model runs here");
  command.Footer(kFooter);
  command.Positional("MODEL", options->input.model, "An .onnx, .im or .ims file");
  command.Number("--duration", "S", options->duration, 0.01, 86400,
                 "Seconds to measure; default 3");
  command.Integer("--batch", "N", options->input.batch, 1, 65536,
                  "Size of a free first dimension; default 1");
  command.Texts("--shape", "NAME=AxBxC", options->input.shapes, Need::kOptional,
                "Shape of an input, where the model leaves it free; once for each input");
  command.Flag("--profile", options->profile, "Also say how long each step takes, and with what");
  command.Text("--compare", "FP32MODEL", options->compared, Need::kOptional,
               "Also run the float model that MODEL was made of, and compare layer by layer");
  AddRebuildOption(command, options->common);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Bench(*options); });
}

}  // namespace intmill::cli
