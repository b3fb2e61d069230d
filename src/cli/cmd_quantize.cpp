// intmill quantize: makes the 8-bit file of a float model, and measures what that cost.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>

#include "cli/certificate.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/improve.h"
#include "cli/json.h"
#include "cli/mixed_precision.h"
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
  std::string labels;
  SchemeOptions scheme;
  Budgets budgets;
  ImproveOptions improve;
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

Model AnnotateCheck(Model model, int64_t samples, const Report& summary, const Report& outputs) {
  model = model.Annotate("check.samples", Cat(samples));
  const double agreement = summary.Number(summary.Row("agreement"), "value");
  model = model.Annotate("check.agreement", FormatNumber(agreement, 2));
  for (int64_t i = 0; i < outputs.rows(); ++i) {
    model = model.Annotate(Cat("check.sqnr_db.", i), FormatNumber(outputs.Number(i, "sqnr_db"), 2));
  }
  return model;
}

// Runs both models on some of the data: a file that cannot run, or lost its sense, is noticed now.
// What that finds becomes the file's certificate.
Certified CheckResult(const Model& reference, const Model& candidate,
                      const QuantizeOptions& options, Work& work) {
  DataOptions some = options.data;
  // A budget of accuracy was held against all of the data, and so is its proof.
  if (!options.budgets.any())
    some.samples = some.samples == 0 ? kCheckSamples : std::min(some.samples, kCheckSamples);
  some.batch = 0;  // the bits of float sums depend on it, and the file must not
  Feeder feeder(reference, options.model, some);
  std::vector<int64_t> labels;
  if (!options.labels.empty()) labels = ReadLabels(options.labels, feeder.available());
  Certified certified = CertifyModel(reference, candidate, feeder, labels, work);
  certified.model = AnnotateCheck(std::move(certified.model), feeder.count(), certified.summary,
                                  certified.outputs);
  return certified;
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
  int64_t int16 = 0;            // of these
  int64_t bf16 = 0;             // of these
  std::vector<int64_t> floats;  // rows
};

LayerCounts CountLayers(const Report& layers) {
  LayerCounts counts;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const std::string scheme = layers.Text(i, "scheme");
    const bool is_weight_only =
        scheme == "weight_only" || scheme == "fp16" || scheme == "bf16" || scheme == "bf16_compute";
    if (scheme == "static" || scheme == "dynamic" || is_weight_only) ++counts.quantized;
    if (is_weight_only) ++counts.weight_only;
    if (layers.Text(i, "activations") == "s16") ++counts.int16;
    if (scheme == "bf16_compute") ++counts.bf16;
    if (scheme == "float") counts.floats.push_back(i);
  }
  return counts;
}

MixedSearch FindMixed(const Model& model, const Probe& calibration, const QuantizeOptions& options,
                      Work& work) {
  std::vector<int64_t> labels;
  if (!options.labels.empty())
    labels = ReadLabels(options.labels, Feeder(model, options.model, options.data).available());
  return SearchMixed({.model = model,
                      .name = options.model,
                      .calibration = calibration,
                      .data = options.data,
                      .labels = labels,
                      .output = options.output},
                     options.budgets, work);
}

// No file is written: the frontier tells what can be had.
int RefuseBudgets(const QuantizeOptions& options, const MixedSearch& search) {
  if (options.common.json)
    std::printf("%s\n", JsonObject().Raw("mixed", ToJson(search)).text().c_str());
  else
    std::fputs(FrontierText(search).c_str(), stdout);
  std::fprintf(stderr, "intmill: %s: no plan keeps all budgets: %s\n", options.model.c_str(),
               search.binding.c_str());
  return 1;
}

// What was searched for, where something was.
struct Searches {
  std::optional<NeverSlower> fast;
  std::optional<MixedSearch> mixed;
};

void PrintResult(const QuantizeOptions& options, const Model& model, const Searches& searches,
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
    if (searches.fast) result.Raw("never_slower", ToJson(*searches.fast));
    if (searches.mixed) result.Raw("mixed", ToJson(*searches.mixed));
    std::printf("%s\n", result.text().c_str());
    return;
  }
  std::printf("%s: %s, %s times smaller than %s (%s)\n", options.output.c_str(),
              FormatBytes(output_bytes).c_str(), FormatNumber(ratio, 2).c_str(),
              options.model.c_str(), FormatBytes(input_bytes).c_str());
  std::string how = counts.weight_only == 0           ? "in 8 bits"
                    : counts.quantized == counts.bf16 ? "in BF16"
                                                      : "with smaller weights";
  if (counts.int16 > 0) how += Cat(" (", counts.int16, " with 16-bit inputs)");
  std::printf("%lld layers %s, %zu in float%s\n", static_cast<long long>(counts.quantized),
              how.c_str(), counts.floats.size(), counts.floats.empty() ? "" : ":");
  for (const int64_t row : counts.floats) {
    if (layers.Text(row, "note").empty()) continue;
    std::printf("  %s (%s)  %s\n", Printable(layers.Text(row, "name")).c_str(),
                layers.Text(row, "op").c_str(), layers.Text(row, "note").c_str());
  }
}

void CheckOptions(const QuantizeOptions& options) {
  const SchemeOptions& scheme = options.scheme;
  if (scheme.is_dynamic + !scheme.precision.empty() + !scheme.weight_only.empty() > 1)
    throw UsageError("quantize: --dynamic, --weight-only and --precision: give one of them");
  if (options.data.data.empty() && options.statistics.empty() && options.scheme.NeedsData() &&
      options.scheme.recipe.empty())
    throw UsageError(options.scheme.gptq
                         ? "quantize: --gptq measures your data: give --data"
                         : "quantize: static quantization measures your data: give --data, or "
                           "--dynamic, or --stats");
  if (!options.labels.empty() && options.data.data.empty())
    throw UsageError("--labels: of which data? Give --data");
  if (!options.budgets.any()) return;
  if (options.data.data.empty())
    throw UsageError("budgets are held against your data: give --data");
  if (options.improve.learns_rounding())
    throw UsageError("--rounding learned: leave it out, budgets are searched with plain rounding");
  if (options.never_slower)
    throw UsageError("--never-slower: leave it out, budgets measure and choose already");
}

int Quantize(const QuantizeOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  CheckOptions(options);
  Work work(options.common, options.scheme.recipe);
  ApplyFlags(options.scheme, work.options());
  const Model model = work.Load(options.model);
  CheckSkips(model, options.model, options.scheme);
  if (options.never_slower) CheckCanBeTimed(model, options.data);
  std::unique_ptr<Feeder> feeder;
  if (!options.data.data.empty())
    feeder = std::make_unique<Feeder>(model, options.model, options.data);

  const bool calibrates = feeder && options.statistics.empty() && options.scheme.NeedsData();
  CheckImprovements(options.improve, calibrates);
  Prepared prepared;
  if (feeder) NoteRawBytes(work, *feeder);
  if (!options.statistics.empty())
    prepared.calibration = LoadCalibration(model, options.model, options.statistics, work);
  else if (calibrates)
    prepared = Prepare(model, *feeder, options.improve, work);
  const Model& latest = prepared.Latest(model);
  Searches searches;
  Model quantized;
  if (options.budgets.any()) {
    searches.mixed = FindMixed(latest, prepared.calibration, options, work);
    if (!searches.mixed->chosen) return RefuseBudgets(options, *searches.mixed);
    quantized = std::move(searches.mixed->model);
  } else {
    quantized = intmill::Quantize(latest, prepared.calibration, work.options());
  }
  if (options.never_slower) {
    searches.fast = KeepFast(latest, std::move(quantized), prepared.calibration, options, work);
    quantized = std::move(searches.fast->model);
  }
  Certified certified;
  if (feeder) {
    certified = CheckResult(model, Describe(std::move(quantized), *feeder), options, work);
    quantized = std::move(certified.model);
  }
  quantized.Save(options.output, &work.options());
  work.line().Clear();

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  PrintResult(options, quantized, searches, elapsed.count());
  if (options.common.json) return 0;
  if (searches.fast) std::fputs(ToText(*searches.fast).c_str(), stdout);
  if (searches.mixed) std::fputs(FrontierText(*searches.mixed).c_str(), stdout);
  PrintCheck(certified.summary, certified.outputs);
  std::printf("%s s, peak memory %s MB\n", FormatNumber(elapsed.count(), 2).c_str(),
              FormatNumber(PeakMemoryMb(), 1).c_str());
  return 0;
}

constexpr const char* kFooter =
    "Runs MODEL on your data to learn the range of each activation, then stores weights and\n"
    "computes in 8-bit integers. A few hundred samples that look like real use are enough. With\n"
    "--dynamic no data is needed: ranges are measured while the model runs, which costs speed.\n"
    "When there is data, both models then run on up to 64 samples of it and are compared. What "
    "that\n"
    "finds is the file's certificate: 'intmill inspect' shows it, 'intmill verify OUT.im --data'\n"
    "measures it again.\n"
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
    "With a budget (--max-drop, --max-latency-ms, --max-bytes) layers that lose most for their "
    "time\n"
    "stay in float: each layer is probed alone on some samples and timed on this machine, plans "
    "are\n"
    "chosen from that, and each is run as a whole on all of --data before it is believed. Of "
    "those\n"
    "that keep all budgets the fastest is written, or without --max-drop the most accurate. When\n"
    "none does, nothing is written, the exit code is 1, and the message says which budget binds.\n"
    "\n"
    "Methods (--method): minmax keeps all that was seen; average the mean extremes of the "
    "samples;\n"
    "percentile cuts the outermost values (--percentile); entropy and mse search for the range "
    "that\n"
    "loses the least.\n"
    "\n"
    "Where 8 bits cost too much, docs/quantization.md tells what --rounding learned, --equalize,\n"
    "--smooth, --weight-range mse, --bias-correction and --int16 buy. The float model that results "
    "are\n"
    "compared with is always MODEL itself.\n"
    "\n"
    "Examples:\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy --rounding learned\n"
    "  intmill quantize model.onnx -o model.im --data image=photos/ --size 224 --samples 200 \\\n"
    "      --scale 1/255 --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225\n"
    "  intmill quantize model.onnx -o model.im --data calib.npz --skip '*head*' --method entropy\n"
    "  intmill quantize model.onnx -o model.im --data calib.npz --int16 '*fc1*'\n"
    "  intmill quantize model.onnx -o model.im --stats all.imstat\n"
    "  intmill quantize model.onnx -o model.im --dynamic\n"
    "  intmill quantize model.onnx -o model.im --weight-only int4 --gptq --data calib.npz\n"
    "  intmill quantize model.onnx -o model.im --data image=calib.npy --never-slower --threads 2\n"
    "  intmill quantize model.onnx -o model.im --data image=test.npy --stats all.imstat \\\n"
    "      --labels y.npy --max-drop 0.3 --max-bytes 4M\n"
    "\n"
    "A recipe holds any option of the library, for the model or for layers:\n"
    "  {\"calibration\": \"entropy\", \"layers\": {\"block3.*\": {\"skip\": 1}}}\n"
    "\n"
    "JSON: {\"input_bytes\",\"output_bytes\",\"ratio\",\"quantized_layers\",\"float_layers\",\n"
    "\"seconds\",\"peak_rss_mb\"}; 'intmill inspect' says why a layer stayed in float. With\n"
    "--never-slower also \"never_slower\": "
    "{\"kept_float\":[{\"layer\",\"float_us\",\"int8_us\"}],\n"
    "\"float_ms\",\"int8_ms\"}; int8_ms is of the fastest form that computes in integers. With a "
    "budget\n"
    "\"mixed\": "
    "{\"metric\",\"binding\",\"float_layers\",\"plans\":[{\"layers\",\"drop\",\"latency_ms\",\n"
    "\"bytes\",\"on_frontier\",\"chosen\"}]}, also when no plan keeps all budgets.";

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
  command.Text("--labels", "PATH", options->labels, Need::kOptional,
               "The right class of each sample: .npy or IDX, as many as there are samples in the "
               "data");
  AddSchemeOptions(command, options->scheme);
  AddImproveOptions(command, options->improve);
  command.Flag("--never-slower", options->never_slower,
               "Measure here, and leave in float what INT8 makes slower");
  AddBudgetOptions(command, options->budgets);
  AddDataOptions(command, options->data, Need::kOptional);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Quantize(*options); });
}

}  // namespace intmill::cli
