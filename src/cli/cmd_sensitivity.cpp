// intmill sensitivity: which layers lose what in 8 bits, and why.
#include <cstdio>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/measure_layers.h"

namespace intmill::cli {
namespace {

struct SensitivityOptions {
  CommonOptions common;
  LayerOptions layers;
  bool is_reverse = false;
};

// NaN where the summary has no such row.
double Figure(const Report& summary, const std::string& key) {
  return summary.Number(summary.Row(key), "value");
}

void PrintJson(const SensitivityOptions& options, const MeasuredLayers& measured) {
  std::vector<std::string> rows;
  const Report& layers = measured.layers;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    rows.push_back(JsonObject()
                       .Text("layer", layers.Text(i, "layer"))
                       .Text("op", layers.Text(i, "op"))
                       .Number("sqnr_db", layers.Number(i, "sqnr_db"), 3)
                       .Number("cosine", layers.Number(i, "cosine"), 8)
                       .Number("agreement", layers.Number(i, "agreement"), 3)
                       .Number("top1_change", layers.Number(i, "top1_change"), 3)
                       .Number("layer_sqnr_db", layers.Number(i, "layer_sqnr_db"), 3)
                       .Number("layer_cosine", layers.Number(i, "layer_cosine"), 8)
                       .Number("min", layers.Number(i, "min"), 9)
                       .Number("max", layers.Number(i, "max"), 9)
                       .Number("clipped", layers.Number(i, "clipped"), 4)
                       .Text("cause", layers.Text(i, "cause"))
                       .text());
  }
  const JsonObject result =
      JsonObject()
          .Integer("samples", static_cast<int64_t>(Figure(measured.summary, "samples")))
          .Raw("reverse", options.is_reverse ? "true" : "false")
          .Number("reference_top1", Figure(measured.summary, "reference_top1"), 3)
          .Number("int8_sqnr_db", Figure(measured.summary, "sqnr_db"), 3)
          .Number("int8_agreement", Figure(measured.summary, "agreement"), 3)
          .Number("calibrate_seconds", measured.calibrate_seconds, 3)
          .Number("seconds", measured.seconds, 3)
          .Integer("steps", static_cast<int64_t>(Figure(measured.summary, "steps")))
          .Integer("steps_whole", static_cast<int64_t>(Figure(measured.summary, "steps_whole")))
          .Raw("layers", JsonArray(rows));
  std::printf("%s\n", result.text().c_str());
}

void PrintText(const SensitivityOptions& options, const MeasuredLayers& measured) {
  const Report& summary = measured.summary;
  std::printf("%s samples, one layer in %s at a time and the others in %s\n",
              summary.Text(summary.Row("samples"), "value").c_str(),
              options.is_reverse ? "float" : "INT8", options.is_reverse ? "INT8" : "float");
  if (options.is_reverse)
    std::printf("all layers in INT8: SQNR %s dB, agreement %s %%\n",
                FormatNumber(Figure(summary, "sqnr_db"), 2).c_str(),
                FormatNumber(Figure(summary, "agreement"), 2).c_str());
  std::printf("\n");
  const Report& layers = measured.layers;
  const bool has_labels = summary.Row("reference_top1") >= 0;
  std::vector<std::string> header = {"layer", "op",  "SQNR dB",   "agree %",     "own SQNR dB",
                                     "min",   "max", "clipped %", "likely cause"};
  if (has_labels) header.insert(header.begin() + 4, "top-1");
  std::vector<std::vector<std::string>> rows;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const auto number = [&](const char* column, int decimals) {
      return FormatNumber(layers.Number(i, column), decimals);
    };
    rows.push_back({layers.Text(i, "layer"), layers.Text(i, "op"), number("sqnr_db", 2),
                    number("agreement", 2), number("layer_sqnr_db", 2), number("min", 3),
                    number("max", 3), number("clipped", 3), layers.Text(i, "cause")});
    if (has_labels) rows.back().insert(rows.back().begin() + 4, number("top1_change", 2));
  }
  std::fputs(FormatTable(header, rows).c_str(), stdout);
  const double whole = Figure(summary, "steps_whole");
  std::printf("\n%s s (calibration %s s); %s %% of the steps of a whole run for each layer\n",
              FormatNumber(measured.seconds, 2).c_str(),
              FormatNumber(measured.calibrate_seconds, 2).c_str(),
              FormatNumber(100 * Figure(summary, "steps") / whole, 0).c_str());
}

int RunSensitivity(const SensitivityOptions& options) {
  Work work(options.common, options.layers.scheme.recipe);
  ApplyFlags(options.layers.scheme, work.options());
  if (options.is_reverse) work.options().Set(INTMILL_OPT_REVERSE, int64_t{1});
  const Model model = work.Load(options.layers.model);
  const MeasuredLayers measured = MeasureLayers(model, options.layers, work);
  work.line().Clear();
  options.common.json ? PrintJson(options, measured) : PrintText(options, measured);
  return 0;
}

constexpr const char* kFooter =
    "Computes each layer alone in INT8 and all others in float, and tells how far that carries\n"
    "MODEL's outputs from the float model: the worst layer first. With --reverse one layer is in\n"
    "float and all others are in INT8: the layer that wins most back comes first. Ranges come "
    "from\n"
    "the same data, or from --stats. A batch runs the model once; for each layer only what comes\n"
    "behind it runs again.\n"
    "\n"
    "For each layer: SQNR at the model's outputs (20 dB: a tenth of noise; none: no difference),\n"
    "how many percent of the answers stay the same, with --labels the change of top-1 in points,\n"
    "SQNR of its own result, range of its input, how much of that lies beyond the calibrated\n"
    "range, and what is likely to be the cause.\n"
    "\n"
    "Examples:\n"
    "  intmill sensitivity model.onnx --data image=test.npy --samples 128\n"
    "  intmill sensitivity model.onnx --data photos/ --size 224 --scale 1/255 --labels y.npy\n"
    "  intmill sensitivity model.onnx --data image=test.npy --stats all.imstat --reverse\n"
    "\n"
    "JSON: {\"samples\",\"reverse\",\"reference_top1\",\"int8_sqnr_db\",\"int8_agreement\",\n"
    "\"calibrate_seconds\",\"seconds\",\"steps\",\"steps_whole\",\"layers\":[{\"layer\",\"op\",\n"
    "\"sqnr_db\",\"cosine\",\"agreement\",\"top1_change\",\"layer_sqnr_db\",\"layer_cosine\","
    "\"min\",\n"
    "\"max\",\"clipped\",\"cause\"}]}; int8_* with --reverse; null where there is no figure.";

}  // namespace

void AddSensitivity(CommandLine& line) {
  auto options = std::make_shared<SensitivityOptions>();
  Command command = line.Add("sensitivity", "Tell what each layer loses in 8 bits, and why");
  command.Footer(kFooter);
  command.Flag("--reverse", options->is_reverse, "One layer in float, the others in INT8");
  AddLayerOptions(command, options->layers, Need::kRequired);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return RunSensitivity(*options); });
}

}  // namespace intmill::cli
