// intmill report: one page that shows what quantizing a model cost and gained.
#include <algorithm>
#include <cstdio>
#include <map>
#include <span>

#include "cli/certificate.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/measure_layers.h"
#include "cli/mixed_precision.h"
#include "cli/never_slower.h"
#include "cli/report_page.h"
#include "cli/saved_bytes.h"
#include "cli/timed_model.h"

namespace intmill::cli {
namespace {

constexpr double kSeconds = 0.5;
constexpr int64_t kMostHistograms = 400;

struct ReportOptions {
  CommonOptions common;
  LayerOptions layers;
  std::string output;
  std::string reference;
  std::string metric = "top1";
  bool no_frontier = false;
};

bool IsQuantized(const Model& model) {
  const std::vector<LayerInfo> layers = ReadLayers(model);
  return std::any_of(layers.begin(), layers.end(), [](const LayerInfo& layer) {
    return layer.scheme == "static" || layer.scheme == "dynamic";
  });
}

std::string PrecisionOf(const LayerInfo& layer) {
  if (layer.scheme == "static") return layer.activations == "s16" ? "INT16 x INT8" : "INT8";
  if (layer.scheme == "dynamic") return "INT8 dynamic";
  if (layer.scheme == "bf16_compute") return "BF16";
  return layer.scheme == "float" ? "FP32" : "";
}

// Layers of the quantized model as people see them: without what converts.
void AddLayers(const Model& quantized, PageData& page) {
  page.graph = ReadLayers(quantized);
  for (const LayerInfo& layer : page.graph)
    if (!layer.name.empty())
      page.layers.push_back(
          {.name = layer.name, .op = layer.op, .precision = PrecisionOf(layer), .cause = {}});
}

// QuantizeLinear and its like are left out of the graph, so their names lead to what they convert.
void JoinConversions(const Model& reference, PageData& page) {
  std::map<std::string, const LayerInfo*> own;
  const std::vector<LayerInfo> plain = ReadLayers(reference);
  for (const LayerInfo& layer : plain) own[layer.name] = &layer;
  for (LayerInfo& layer : page.graph) {
    if (layer.name.empty() || !own.contains(layer.name)) continue;
    layer.inputs = own[layer.name]->inputs;
    layer.outputs = own[layer.name]->outputs;
  }
}

// Without the float model: names of values before and after a conversion differ by a suffix.
void JoinBySuffix(PageData& page) {
  for (LayerInfo& layer : page.graph)
    for (auto* names : {&layer.inputs, &layer.outputs})
      for (std::string& name : *names)
        for (const std::string suffix : {"_dequantized", "_real"})
          if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
}

void AddAccuracy(const Report& certificate, PageData& page) {
  const auto number = [&](const char* fact) {
    const std::string text = CertifiedFact(certificate, fact);
    return text.empty() ? "" : FormatNumber(std::strtod(text.c_str(), nullptr), 2) + " %";
  };
  for (const char* top : {"top1", "top5"})
    if (!number("candidate_top1").empty())
      page.accuracy.push_back(
          {std::string(top) == "top1" ? "Right class first" : "Right class among the first five",
           number((std::string("reference_") + top).c_str()),
           number((std::string("candidate_") + top).c_str())});
  page.accuracy.push_back({"Same answer as FP32", "", number("agreement")});
  for (int64_t i = 0; i < certificate.rows(); ++i) {
    const std::string fact = certificate.Text(i, "fact");
    const double value = certificate.Number(i, "value");
    if (fact == "output_sqnr_db")
      page.accuracy.push_back({Cat("SQNR of output ", certificate.Text(i, "name")), "",
                               std::isinf(value) ? "equal" : FormatNumber(value, 2) + " dB"});
    if (fact == "output_cosine")
      page.accuracy.push_back(
          {Cat("Cosine of output ", certificate.Text(i, "name")), "", FormatNumber(value, 6)});
  }
  for (PageLayer& layer : page.layers) layer.sqnr_db = CertifiedLayerSqnr(certificate, layer.name);
  constexpr std::pair<const char*, const char*> kFacts[] = {
      {"samples", "Samples"},
      {"reference", "Digest of the FP32 model"},
      {"model", "Digest of the quantized model"},
      {"data", "Digest of the data"},
      {"labels", "Digest of the labels"},
      {"recipe", "Recipe"},
      {"isa", "Instruction set"},
      {"version", "intmill"},
      {"onednn_version", "oneDNN"}};
  for (const auto& [fact, name] : kFacts)
    if (const std::string text = CertifiedFact(certificate, fact); !text.empty())
      page.facts.emplace_back(name, text);
}

void AddSensitivity(const Report& measured, PageData& page) {
  std::map<std::string, int64_t> row_of;
  for (int64_t i = 0; i < measured.rows(); ++i) row_of[measured.Text(i, "layer")] = i;
  for (PageLayer& layer : page.layers) {
    const auto found = row_of.find(layer.name);
    if (found == row_of.end()) continue;
    layer.alone_db = measured.Number(found->second, "sqnr_db");
    layer.agreement = measured.Number(found->second, "agreement");
    layer.cause = measured.Text(found->second, "cause");
  }
}

void AddHistograms(const Probe& calibration, PageData& page) {
  const Report bins = calibration.Report(INTMILL_REPORT_HISTOGRAMS);
  const Report ranges = calibration.Report(INTMILL_REPORT_RANGES);
  std::map<std::string, size_t> index;
  for (int64_t i = 0; i < std::min(ranges.rows(), kMostHistograms); ++i) {
    const double scale = ranges.Number(i, "scale");
    const double zero_point = ranges.Number(i, "zero_point");
    index[ranges.Text(i, "tensor")] = page.histograms.size();
    page.histograms.push_back({.tensor = ranges.Text(i, "tensor"),
                               .bins = {},
                               .low = (0 - zero_point) * scale,
                               .high = (255 - zero_point) * scale});
  }
  const int64_t columns[] = {bins.Column("begin"), bins.Column("end"), bins.Column("count")};
  for (int64_t i = 0; i < bins.rows(); ++i) {
    const auto found = index.find(bins.Text(i, "tensor"));
    if (found == index.end()) continue;
    page.histograms[found->second].bins.push_back({intmill_report_f64(bins.get(), i, columns[0]),
                                                   intmill_report_f64(bins.get(), i, columns[1]),
                                                   intmill_report_f64(bins.get(), i, columns[2])});
  }
}

// Both in turn, so that what slows the machine slows both.
void AddSpeed(const ReportOptions& options, const Model* reference, const Model& quantized,
              const std::vector<Tensor>& inputs, Work& work, PageData& page) {
  Options own = Options::FromJson(work.options().Json());
  const int64_t threads = std::max<int64_t>(options.common.threads, 1);
  own.Set(INTMILL_OPT_THREADS, threads);
  TimedModel after(quantized, own, inputs, Detail::kWhole);
  std::vector<TimedModel*> turns = {&after};
  std::unique_ptr<TimedModel> before;
  if (reference != nullptr) {
    before = std::make_unique<TimedModel>(*reference, own, inputs, Detail::kWhole);
    turns.push_back(before.get());
  }
  TakeTurns(turns, kSeconds, "race", work);
  page.ms_after = after.MedianMs();
  if (before) page.ms_before = before->MedianMs();
  page.facts.emplace_back("Speed", Cat("median of one run on ", threads,
                                       threads == 1 ? " thread" : " threads", " of this machine"));
}

void AddFrontier(const ReportOptions& options, const Model& reference, const Probe& calibration,
                 const std::vector<int64_t>& labels, Work& work, PageData& page) {
  Budgets none;
  none.metric = options.metric;
  const MixedSearch search = SearchMixed({.model = reference,
                                          .name = options.layers.model,
                                          .calibration = calibration,
                                          .data = options.layers.data,
                                          .labels = labels,
                                          .output = options.output},
                                         none, work);
  page.metric = options.metric;
  for (const MixedPlan& plan : Frontier(search))
    page.plans.push_back({.drop = plan.drop,
                          .latency_ms = plan.latency_ms,
                          .bytes = static_cast<double>(plan.bytes),
                          .label = PlanText(plan)});
}

// All that can be measured where there are a float model and data.
void MeasureAll(const ReportOptions& options, const Model& reference, Model quantized, Work& work,
                PageData& page) {
  const MeasuredLayers measured = MeasureLayers(reference, options.layers, work);
  if (!quantized) quantized = Quantize(reference, measured.calibration, work.options());
  std::vector<int64_t> labels;
  Feeder feeder(reference, options.layers.model, options.layers.data);
  if (!options.layers.labels.empty())
    labels = ReadLabels(options.layers.labels, feeder.available());
  const Certified certified = CertifyModel(reference, quantized, feeder, labels, work);
  AddLayers(quantized, page);
  JoinConversions(reference, page);
  AddAccuracy(certified.model.Report(INTMILL_REPORT_CERTIFICATE), page);
  AddSensitivity(measured.layers, page);
  if (measured.calibration) AddHistograms(measured.calibration, page);
  const std::string& before = options.reference.empty() ? options.layers.model : options.reference;
  page.bytes_before = static_cast<double>(FileSize(before));
  page.bytes_after = static_cast<double>(
      options.reference.empty() ? SavedBytes(certified.model) : FileSize(options.layers.model));
  AddSpeed(options, &reference, quantized,
           TimingInputs(reference, options.layers.model, options.layers.data), work, page);
  if (!options.no_frontier)
    AddFrontier(options, reference, measured.calibration, labels, work, page);
}

// What a quantized file says by itself.
void ReadAll(const ReportOptions& options, const Model& quantized, Work& work, PageData& page) {
  AddLayers(quantized, page);
  JoinBySuffix(page);
  const Report certificate = quantized.Report(INTMILL_REPORT_CERTIFICATE);
  if (certificate.rows() > 0) AddAccuracy(certificate, page);
  page.bytes_after = static_cast<double>(FileSize(options.layers.model));
  if (!options.layers.statistics.empty())
    AddHistograms(Probe::Load(options.layers.statistics, &work.options()), page);
  CheckCanBeTimed(quantized, options.layers.data);
  AddSpeed(options, nullptr, quantized,
           TimingInputs(quantized, options.layers.model, options.layers.data), work, page);
}

PageData Gather(const ReportOptions& options, Work& work) {
  PageData page;
  const std::string& path = options.layers.model;
  page.title = Cat("Quantization of ", path.substr(path.rfind('/') + 1));
  Model model = work.Load(path);
  const bool has_data = !options.layers.data.data.empty();
  if (!IsQuantized(model)) {
    if (!options.reference.empty())
      throw UsageError(Cat("--reference: ", path, " is a float model itself"));
    if (!has_data)
      throw UsageError(Cat("report: ", path,
                           " is a float model: what 8 bits cost it is measured on your data: give "
                           "--data"));
    MeasureAll(options, model, Model(), work, page);
    return page;
  }
  if (options.reference.empty()) {
    ReadAll(options, model, work, page);
    return page;
  }
  if (!has_data) throw UsageError("--reference: to compare with, give --data");
  MeasureAll(options, work.Load(options.reference), std::move(model), work, page);
  return page;
}

int RunReport(const ReportOptions& options) {
  Work work(options.common, options.layers.scheme.recipe);
  ApplyFlags(options.layers.scheme, work.options());
  const PageData data = Gather(options, work);
  const std::string page = MakePage(data);
  OutputFile file(options.output);
  file.WriteAt(0, std::as_bytes(std::span(page)));
  file.Commit();
  work.line().Clear();
  if (options.common.json)
    std::printf("%s\n", JsonObject()
                            .Integer("bytes", static_cast<int64_t>(page.size()))
                            .Integer("layers", std::ssize(data.layers))
                            .Integer("histograms", std::ssize(data.histograms))
                            .Integer("plans", std::ssize(data.plans))
                            .text()
                            .c_str());
  else
    std::printf("%s: %s\n", options.output.c_str(),
                FormatBytes(static_cast<double>(page.size())).c_str());
  return 0;
}

constexpr const char* kFooter =
    "Writes one page that needs nothing else: no script, nothing from a network. Sizes and "
    "speeds,\n"
    "accuracy, what each layer lost, the ranking of sensitivity, plans of mixed precision, the\n"
    "histogram and clip range of each tensor, and the graph by precision.\n"
    "\n"
    "MODEL is a float model with --data: it is quantized as the options say, but not written. Or "
    "a\n"
    "quantized model with its float model as --reference, and --data. Or a quantized model alone:\n"
    "then the page has what its certificate says, its speed and its graph, and with --stats\n"
    "histograms.\n"
    "\n"
    "Examples:\n"
    "  intmill report model.onnx -o report.html --data image=test.npy --labels y.npy\n"
    "  intmill report model.im -o report.html --reference model.onnx --data image=test.npy\n"
    "  intmill report model.im -o report.html\n"
    "\n"
    "JSON: {\"bytes\",\"layers\",\"histograms\",\"plans\"}.";

}  // namespace

void AddReport(CommandLine& line) {
  auto options = std::make_shared<ReportOptions>();
  Command command = line.Add("report", "Write a page about what quantizing cost and gained");
  command.Footer(kFooter);
  command.Text("-o,--output", "OUT.html", options->output, Need::kRequired,
               "The page to write; replaced as a whole");
  command.Text("--reference", "MODEL", options->reference, Need::kOptional,
               "The float model of a quantized one");
  command.Text("--metric", "NAME", options->metric, Need::kOptional,
               "What the plans lose by: see 'intmill quantize --help'; default top1");
  command.Flag("--no-frontier", options->no_frontier, "Leave out plans of mixed precision");
  AddLayerOptions(command, options->layers, Need::kOptional);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return RunReport(*options); });
}

}  // namespace intmill::cli
