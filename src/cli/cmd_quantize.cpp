// intmill quantize: makes the 8-bit file of a float model, and measures what that cost.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/never_slower.h"
#include "cli/scheme_options.h"

namespace intmill::cli {
namespace {

constexpr int64_t kCheckSamples = 64;

struct QuantizeOptions {
  CommonOptions common;
  DataOptions data;
  std::string model;
  std::string output;
  std::string statistics;
  SchemeOptions scheme;
  bool never_slower = false;
};

NeverSlower KeepFast(const Model& model, Model quantized, const Probe& calibration,
                     const QuantizeOptions& options, Work& work) {
  const auto requantize = [&](const std::vector<std::string>& float_layers) {
    Options own = Options::FromJson(work.options().Json());
    for (const std::string& layer : float_layers)
      own.Set(INTMILL_OPT_SKIP, int64_t{1}, layer.c_str());
    return intmill::Quantize(model, calibration, own);
  };
  // One thread unless a number was asked for: the least noise, and how most servers run.
  const int64_t threads = std::max<int64_t>(IntegerIn(work.options().Json(), "threads"), 1);
  NeverSlower result =
      MakeNeverSlower(model, std::move(quantized), requantize,
                      TimingInputs(model, options.model, options.data), threads, work);
  result.model = Annotated(result, threads);
  return result;
}

// What the file says about the data it was made with.
Model Describe(Model model, const Feeder& feeder) {
  for (const auto& [key, value] : feeder.description()) model = model.Annotate(key, value);
  return model;
}

// Runs both models on some of the data: a file that cannot run, or lost its sense, is noticed now.
Report CheckResult(const Model& reference, const Model& candidate, const QuantizeOptions& options,
                   Work& work, Report& outputs) {
  DataOptions some = options.data;
  some.samples = some.samples == 0 ? kCheckSamples : std::min(some.samples, kCheckSamples);
  Feeder feeder(reference, options.model, some);
  // The figures go into the file, which must not depend on the number of threads.
  Options one_thread = Options::FromJson(work.options().Json());
  one_thread.Set(INTMILL_OPT_THREADS, int64_t{1});
  Probe probe = Probe::Verify(reference, candidate, one_thread);
  work.ForEachBatch("check", feeder, [&](const auto& inputs) { probe.Feed(inputs); });
  outputs = probe.Report(INTMILL_REPORT_OUTPUTS);
  return probe.Report(INTMILL_REPORT_SUMMARY);
}

Model AnnotateCheck(Model model, const Report& summary, const Report& outputs) {
  model = model.Annotate("check.samples", summary.Text(summary.Row("samples"), "value"));
  const double agreement = summary.Number(summary.Row("agreement"), "value");
  model = model.Annotate("check.agreement", FormatNumber(agreement, 2));
  for (int64_t i = 0; i < outputs.rows(); ++i) {
    model = model.Annotate(Cat("check.sqnr_db.", i), FormatNumber(outputs.Number(i, "sqnr_db"), 2));
  }
  return model;
}

void PrintCheck(const Report& summary, const Report& outputs) {
  if (!summary) return;
  std::printf("checked on %s samples: agreement %s %%",
              summary.Text(summary.Row("samples"), "value").c_str(),
              FormatNumber(summary.Number(summary.Row("agreement"), "value"), 2).c_str());
  for (int64_t i = 0; i < outputs.rows(); ++i) {
    std::printf("; %s: SQNR %s dB", Printable(outputs.Text(i, "name")).c_str(),
                FormatNumber(outputs.Number(i, "sqnr_db"), 1).c_str());
  }
  std::printf("\n");
}

struct LayerCounts {
  int64_t quantized = 0;
  int64_t weight_only = 0;      // of these
  std::vector<int64_t> floats;  // rows
};

LayerCounts CountLayers(const Report& layers) {
  LayerCounts counts;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const std::string scheme = layers.Text(i, "scheme");
    const bool is_weight_only = scheme == "weight_only" || scheme == "fp16" || scheme == "bf16";
    if (scheme == "static" || scheme == "dynamic" || is_weight_only) ++counts.quantized;
    if (is_weight_only) ++counts.weight_only;
    if (scheme == "float") counts.floats.push_back(i);
  }
  return counts;
}

void PrintResult(const QuantizeOptions& options, const Model& model, const NeverSlower* fast,
                 double seconds) {
  const Report layers = model.Report(INTMILL_REPORT_LAYERS);
  const LayerCounts counts = CountLayers(layers);
  const auto input_bytes = static_cast<double>(FileSize(options.model));
  const auto output_bytes = static_cast<double>(FileSize(options.output));
  const double ratio = input_bytes / output_bytes;
  if (options.common.json) {
    JsonObject result = JsonObject()
                            .Integer("input_bytes", static_cast<int64_t>(input_bytes))
                            .Integer("output_bytes", static_cast<int64_t>(output_bytes))
                            .Number("ratio", ratio, 3)
                            .Integer("quantized_layers", counts.quantized)
                            .Integer("float_layers", std::ssize(counts.floats))
                            .Number("seconds", seconds, 3)
                            .Number("peak_rss_mb", PeakMemoryMb(), 1);
    if (fast != nullptr) result.Raw("never_slower", ToJson(*fast));
    std::printf("%s\n", result.text().c_str());
    return;
  }
  std::printf("%s: %s, %s times smaller than %s (%s)\n", options.output.c_str(),
              FormatBytes(output_bytes).c_str(), FormatNumber(ratio, 2).c_str(),
              options.model.c_str(), FormatBytes(input_bytes).c_str());
  const char* const how = counts.weight_only == 0 ? "in 8 bits" : "with smaller weights";
  std::printf("%lld layers %s, %zu in float%s\n", static_cast<long long>(counts.quantized), how,
              counts.floats.size(), counts.floats.empty() ? "" : ":");
  for (const int64_t row : counts.floats) {
    if (layers.Text(row, "note").empty()) continue;
    std::printf("  %s (%s)  %s\n", Printable(layers.Text(row, "name")).c_str(),
                layers.Text(row, "op").c_str(), layers.Text(row, "note").c_str());
  }
}

int Quantize(const QuantizeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const bool needs_data = options.scheme.NeedsData();
  if (options.data.data.empty() && options.statistics.empty() && needs_data &&
      options.scheme.recipe.empty())
    throw UsageError(options.scheme.gptq
                         ? "quantize: --gptq measures your data: give --data"
                         : "quantize: static quantization measures your data: give --data, or "
                           "--dynamic, or --stats");
  Work work(options.common, options.scheme.recipe);
  ApplyFlags(options.scheme, work.options());
  const Model model = work.Load(options.model);
  CheckSkips(model, options.model, options.scheme);
  if (options.never_slower) CheckCanBeTimed(model, options.data);
  std::unique_ptr<Feeder> feeder;
  if (!options.data.data.empty())
    feeder = std::make_unique<Feeder>(model, options.model, options.data);

  Probe calibration;
  if (feeder) NoteRawBytes(work, *feeder);
  if (!options.statistics.empty())
    calibration = LoadCalibration(model, options.model, options.statistics, work);
  else if (feeder && needs_data)
    calibration = Calibrate(model, *feeder, work);
  Model quantized = intmill::Quantize(model, calibration, work.options());
  std::optional<NeverSlower> fast;
  if (options.never_slower) {
    fast = KeepFast(model, std::move(quantized), calibration, options, work);
    quantized = std::move(fast->model);
  }
  Report summary;
  Report outputs;
  if (feeder) {
    summary = CheckResult(model, quantized, options, work, outputs);
    quantized = AnnotateCheck(Describe(std::move(quantized), *feeder), summary, outputs);
  }
  quantized.Save(options.output, &work.options());
  work.line().Clear();

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  PrintResult(options, quantized, fast ? &*fast : nullptr, elapsed.count());
  if (options.common.json) return 0;
  if (fast) std::fputs(ToText(*fast).c_str(), stdout);
  PrintCheck(summary, outputs);
  std::printf("%s s, peak memory %s MB\n", FormatNumber(elapsed.count(), 2).c_str(),
              FormatNumber(PeakMemoryMb(), 1).c_str());
  return 0;
}

constexpr const char* kFooter =
    "Runs MODEL on your data to learn the range of each activation, then stores weights and\n"
    "computes in 8-bit integers. A few hundred samples that look like real use are enough. With\n"
    "--dynamic no data is needed: ranges are measured while the model runs, which costs speed.\n"
    "When there is data, both models then run on up to 64 samples of it and are compared.\n"
    "\n"
    "--never-slower times both models on this machine, with --threads or else one thread and one\n"
    "sample at once (--batch changes that), and leaves in float what is slower in integers; when\n"
    "nothing helps, the whole file stays in float. Do not measure on a busy machine. The file can\n"
    "differ from run to run, and says in its metadata on which instruction set it was measured.\n"
    "\n"
    "--weight-only makes a model smaller and, where weights are read faster than they are "
    "computed\n"
    "with (one row at a time), faster; its activations stay floats. --gptq costs data and time "
    "and\n"
    "loses less, most of all in 4 bits.\n"
    "\n"
    "Methods (--method): minmax keeps all that was seen; average the mean extremes of the "
    "samples;\n"
    "percentile cuts the outermost values (--percentile); entropy and mse search for the range "
    "that\n"
    "loses the least.\n"
    "\n"
    "Examples:\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy\n"
    "  intmill quantize model.onnx -o model.im --data image=photos/ --size 224 --samples 200 \\\n"
    "      --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225\n"
    "  intmill quantize model.onnx -o model.im --data calib.npz --skip '*head*' --method entropy\n"
    "  intmill quantize model.onnx -o model.im --stats all.imstat\n"
    "  intmill quantize model.onnx -o model.im --dynamic\n"
    "  intmill quantize model.onnx -o model.im --weight-only int4 --gptq --data calib.npz\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy --never-slower --threads 2\n"
    "\n"
    "A recipe holds any option of the library, for the model or for layers:\n"
    "  {\"calibration\": \"entropy\", \"layers\": {\"block3.*\": {\"skip\": 1}}}\n"
    "\n"
    "JSON: {\"input_bytes\",\"output_bytes\",\"ratio\",\"quantized_layers\",\"float_layers\",\n"
    "\"seconds\",\"peak_rss_mb\"}; 'intmill inspect' says why a layer stayed in float. With\n"
    "--never-slower also \"never_slower\": "
    "{\"kept_float\":[{\"layer\",\"float_us\",\"int8_us\"}],\n"
    "\"float_ms\",\"int8_ms\"}; int8_ms is of the fastest form that computes in integers.";

}  // namespace

void AddQuantize(CommandLine& line) {
  auto options = std::make_shared<QuantizeOptions>();
  Command command = line.Add("quantize", "Make a small, fast 8-bit file of a float model");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "The float model: an .onnx or .im file");
  command.Text("-o,--output", "OUT.im", options->output, Need::kRequired,
               "The file to write; replaced as a whole");
  command.Text("--stats", "FILE.imstat", options->statistics, Need::kOptional,
               "Take ranges from what 'intmill calibrate' saw; --data then only checks the result");
  AddSchemeOptions(command, options->scheme);
  command.Flag("--never-slower", options->never_slower,
               "Measure here, and leave in float what INT8 makes slower");
  AddDataOptions(command, options->data, Need::kOptional);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Quantize(*options); });
}

}  // namespace intmill::cli
