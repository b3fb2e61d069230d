// intmill explain: for each layer its precision, why it is that one, what it costs, what would
// help.
#include <cmath>
#include <cstdio>
#include <map>

#include "cli/certificate.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/json.h"
#include "cli/measure_layers.h"

namespace intmill::cli {
namespace {

struct ExplainOptions {
  CommonOptions common;
  LayerOptions layers;
};

struct Explained {
  std::string layer;
  std::string op;
  std::string precision;
  std::string why;
  double sqnr_db = std::nan("");  // the last three only where it was measured
  double agreement = std::nan("");
  std::string cause;
  double saturating = std::nan("");  // output channels; NaN: the proof says nothing
  std::string pair;                  // the worst of them
  double certified_sqnr_db = std::nan("");
  std::string help;
};

std::string WhyOf(const std::string& scheme, const std::string& activations,
                  const std::string& note) {
  if (scheme == "float") return note.empty() ? "it was not quantized" : note;
  if (activations == "s16")
    return "16-bit inputs by the options; 8-bit ones take at most half the time";
  if (scheme == "dynamic")
    return "8 bits are the lowest precision here; ranges are measured while running";
  if (scheme != "static") return "the options say so; the lowest precision computes in 8 bits";
  return "8 bits are the lowest precision here; ranges come from a calibration";
}

struct Advice {
  const char* begins;  // a cause, or why a layer is in float
  const char* help;
};

// Only what intmill can do, or what the user can look at. The first that fits.
constexpr Advice kAdvice[] = {
    {"wrong preprocessing scale", "give --scale, --mean and --std as when it was calibrated"},
    {"saturation", "calibrate on data like this, or --method minmax"},
    {"outliers", "--method mse or entropy, which may clip them, or --int16 for this layer"},
    {"unbalanced channels: weights", "leave --per-tensor out"},
    {"unbalanced channels: its input", "--int16 for this layer"},
    {"dead range: its input is always 0", "look at the data: the layer is fed nothing else"},
    {"dead range", "calibrate on data like this, or a lower --percentile"},
    {"left in float by the options", "leave --skip out"},
    {"its values were not seen", "calibrate with data that reaches this layer"},
    {"dynamic quantization covers", "static quantization: give --data, leave --dynamic out"},
    {"its input comes from a float layer", "quantize the layer before it"},
};

std::string HelpFor(const Explained& row) {
  const std::string& reason = row.precision == "float" ? row.why : row.cause;
  for (const Advice& advice : kAdvice)
    if (reason.starts_with(advice.begins)) return advice.help;
  if (row.saturating > 0) return "--target any, where other runtimes lack VNNI";
  return "";
}

// Of layers that could compute in integers.
std::vector<Explained> ExplainLayers(const Report& layers) {
  std::vector<Explained> rows;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const std::string scheme = layers.Text(i, "scheme");
    if (scheme.empty()) continue;
    Explained row;
    row.layer = layers.Text(i, "name");
    row.op = layers.Text(i, "op");
    const std::string activations = layers.Text(i, "activations");
    const char* const integers = activations == "s16" ? "INT16 x INT8 " : "INT8 ";
    const bool is_integer = scheme == "static" || scheme == "dynamic";
    row.precision = is_integer ? integers + scheme : scheme;
    row.why = WhyOf(scheme, activations, layers.Text(i, "note"));
    row.saturating = layers.Number(i, "saturating");
    row.pair = layers.Text(i, "saturating_pair");
    rows.push_back(std::move(row));
  }
  return rows;
}

void AddMeasured(const Report& measured, std::vector<Explained>& rows) {
  std::map<std::string, int64_t> row_of;
  for (int64_t i = 0; i < measured.rows(); ++i) row_of[measured.Text(i, "layer")] = i;
  for (Explained& row : rows) {
    const auto found = row_of.find(row.layer);
    if (found == row_of.end()) continue;
    row.sqnr_db = measured.Number(found->second, "sqnr_db");
    row.agreement = measured.Number(found->second, "agreement");
    row.cause = measured.Text(found->second, "cause");
  }
}

bool IsQuantized(const Report& layers) {
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const std::string scheme = layers.Text(i, "scheme");
    if (!scheme.empty() && scheme != "float") return true;
  }
  return false;
}

std::vector<Explained> Explain(const ExplainOptions& options, const Model& model, Work& work) {
  const Report own = model.Report(INTMILL_REPORT_LAYERS);
  std::vector<Explained> rows;
  if (IsQuantized(own)) {
    if (!options.layers.data.data.empty())
      throw UsageError(Cat("explain: ", options.layers.model,
                           " is quantized: give the float model "
                           "with --data, or leave --data out"));
    rows = ExplainLayers(own);
    const Report certificate = model.Report(INTMILL_REPORT_CERTIFICATE);
    for (Explained& row : rows) {
      row.certified_sqnr_db = CertifiedLayerSqnr(certificate, row.layer);
      row.help = HelpFor(row);
    }
    return rows;
  }
  if (options.layers.data.data.empty())
    throw UsageError(Cat("explain: ", options.layers.model,
                         " is a float model: what 8 bits cost it "
                         "is measured on your data: give --data"));
  const MeasuredLayers measured = MeasureLayers(model, options.layers, work);
  const Model quantized = Quantize(model, measured.calibration, work.options());
  rows = ExplainLayers(quantized.Report(INTMILL_REPORT_LAYERS));
  AddMeasured(measured.layers, rows);
  for (Explained& row : rows) row.help = HelpFor(row);
  return rows;
}

void PrintJson(const std::vector<Explained>& rows) {
  std::vector<std::string> items;
  for (const Explained& row : rows)
    items.push_back(JsonObject()
                        .Text("layer", row.layer)
                        .Text("op", row.op)
                        .Text("precision", row.precision)
                        .Text("why", row.why)
                        .Number("sqnr_db", row.sqnr_db, 3)
                        .Number("agreement", row.agreement, 3)
                        .Text("cause", row.cause)
                        .Number("saturating", row.saturating, 0)
                        .Text("saturating_pair", row.pair)
                        .Number("certified_sqnr_db", row.certified_sqnr_db, 3)
                        .Text("help", row.help)
                        .text());
  std::printf("%s\n", JsonObject().Raw("layers", JsonArray(items)).text().c_str());
}

void PrintText(const std::vector<Explained>& rows) {
  for (const Explained& row : rows) {
    std::printf("%s (%s): %s\n", Printable(row.layer).c_str(), row.op.c_str(),
                row.precision.c_str());
    std::printf("  why      %s\n", Printable(row.why).c_str());
    if (!std::isnan(row.sqnr_db))
      std::printf("  cost     alone SQNR %s dB at the outputs, %s %% the same answer\n",
                  FormatNumber(row.sqnr_db, 1).c_str(), FormatNumber(row.agreement, 2).c_str());
    if (!std::isnan(row.certified_sqnr_db))
      std::printf("  cost     with all others SQNR %s dB at its result, by the certificate\n",
                  FormatNumber(row.certified_sqnr_db, 1).c_str());
    if (!row.cause.empty()) std::printf("  cause    %s\n", row.cause.c_str());
    if (row.saturating > 0)
      std::printf(
          "  without VNNI %.0f output channels could saturate in other runtimes\n"
          "           saturating weight pair: %s\n",
          row.saturating, row.pair.c_str());
    if (!row.help.empty()) std::printf("  help     %s\n", row.help.c_str());
  }
}

int RunExplain(const ExplainOptions& options) {
  Work work(options.common, options.layers.scheme.recipe);
  ApplyFlags(options.layers.scheme, work.options());
  const Model model = work.Load(options.layers.model);
  const std::vector<Explained> rows = Explain(options, model, work);
  work.line().Clear();
  options.common.json ? PrintJson(rows) : PrintText(rows);
  return 0;
}

constexpr const char* kFooter =
    "Of a quantized MODEL: the precision of each layer, why it is not a lower one, and where sums\n"
    "could saturate in other runtimes; with a certificate, what the layer lost. Of a float MODEL "
    "with --data: what would become of each\n"
    "layer, what that costs when the others stay in float ('intmill sensitivity' has all "
    "figures),\n"
    "the likely cause, and what would help.\n"
    "\n"
    "Examples:\n"
    "  intmill explain model.im\n"
    "  intmill explain model.onnx --data image=test.npy --samples 64\n"
    "  intmill explain model.onnx --data image=test.npy --stats all.imstat\n"
    "\n"
    "JSON: "
    "{\"layers\":[{\"layer\",\"op\",\"precision\",\"why\",\"sqnr_db\",\"agreement\",\"cause\",\n"
    "\"saturating\",\"saturating_pair\",\"certified_sqnr_db\",\"help\"}]}; null where there is no "
    "figure.";

}  // namespace

void AddExplain(CommandLine& line) {
  auto options = std::make_shared<ExplainOptions>();
  Command command =
      line.Add("explain", "Say of each layer why it has its precision, and what helps");
  command.Footer(kFooter);
  AddLayerOptions(command, options->layers, Need::kOptional);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return RunExplain(*options); });
}

}  // namespace intmill::cli
