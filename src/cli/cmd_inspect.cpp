// intmill inspect: what is in a model, and what of it would not run fast.
#include <cmath>
#include <cstdio>
#include <map>

#include "cli/certificate.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string model;
  bool metadata = false;
};

std::string PortsToJson(const std::vector<Port>& ports) {
  std::vector<std::string> items;
  for (const Port& port : ports) {
    items.push_back(JsonObject()
                        .Text("name", port.name)
                        .Text("dtype", DTypeName(port.dtype))
                        .Raw("shape", JsonArray(port.dims))
                        .text());
  }
  return JsonArray(items);
}

void PrintPorts(const char* title, const std::vector<Port>& ports) {
  std::printf("%s\n", title);
  for (const Port& port : ports) {
    std::printf("  %s  %s\n", Printable(port.name).c_str(),
                ArrayText({port.dtype, port.dims}).c_str());
  }
}

// "static", and "static s16" where activations are of another type than most.
std::string SchemeText(const Report& layers, int64_t row) {
  const std::string scheme = layers.Text(row, "scheme");
  const std::string activations = layers.Text(row, "activations");
  const bool is_rare = !scheme.empty() && activations != "" && activations != "u8";
  return is_rare ? scheme + " " + activations : scheme;
}

void PrintLayers(const Report& layers) {
  std::vector<std::vector<std::string>> rows;
  for (int64_t i = 0; i < layers.rows(); ++i) {
    std::vector<std::string> row{Cat(i)};
    for (const char* column : {"name", "op", "dtype", "shape", "parameters", "bytes"})
      row.push_back(layers.Text(i, column));
    row.push_back(SchemeText(layers, i));
    row.push_back(layers.Text(i, "note"));
    rows.push_back(std::move(row));
  }
  std::fputs(
      FormatTable({"#", "layer", "op", "dtype", "shape", "parameters", "bytes", "scheme", "note"},
                  rows)
          .c_str(),
      stdout);
}

void PrintSummary(const Report& layers) {
  double parameters = 0;
  double bytes = 0;
  std::map<std::string, int> schemes;
  int noted = 0;
  double saturating = std::nan("");  // until some layer has a figure
  for (int64_t i = 0; i < layers.rows(); ++i) {
    const double count = layers.Number(i, "parameters");
    const double size = layers.Number(i, "bytes");
    parameters += std::isnan(count) ? 0 : count;
    bytes += std::isnan(size) ? 0 : size;
    if (const std::string scheme = SchemeText(layers, i); !scheme.empty()) ++schemes[scheme];
    if (!layers.Text(i, "note").empty()) ++noted;
    const double channels = layers.Number(i, "saturating");
    if (!std::isnan(channels)) saturating = (std::isnan(saturating) ? 0 : saturating) + channels;
  }
  std::printf("\n%lld layers, %.0f parameters in %s", static_cast<long long>(layers.rows()),
              parameters, FormatBytes(bytes).c_str());
  for (const auto& [scheme, count] : schemes) std::printf("; %s: %d", scheme.c_str(), count);
  std::printf("\n");
  if (saturating == 0)
    std::printf("sums are exact with any instructions, also where pairs saturate at 16 bits\n");
  else if (saturating > 0)
    std::printf(
        "%.0f output channels could saturate in runtimes that add pairs in 16 bits; "
        "'quantize --target any' gives them 7-bit weights\n",
        saturating);
  if (noted != 0) std::printf("%d layers with a note: see the last column\n", noted);
}

int PrintMetadata(const Report& metadata, bool is_json) {
  JsonObject object;
  for (int64_t i = 0; i < metadata.rows(); ++i) {
    const std::string key = metadata.Text(i, "key");
    const std::string value = metadata.Text(i, "value");
    object.Text(key, value);
    if (!is_json) std::printf("%s  %s\n", Printable(key).c_str(), Printable(value).c_str());
  }
  if (is_json) std::printf("%s\n", object.text().c_str());
  return 0;
}

// The facts that a compiled session was made for: name and value.
std::vector<std::pair<std::string, std::string>> CompiledFacts(const Report& metadata) {
  constexpr std::string_view kPrefix = "compiled for ";
  std::vector<std::pair<std::string, std::string>> facts;
  for (int64_t i = 0; i < metadata.rows(); ++i) {
    const std::string key = metadata.Text(i, "key");
    if (key.starts_with(kPrefix))
      facts.emplace_back(key.substr(kPrefix.size()), metadata.Text(i, "value"));
  }
  return facts;
}

void PrintCompiled(const Report& metadata) {
  const auto facts = CompiledFacts(metadata);
  if (facts.empty()) return;
  std::printf("\na compiled session, for\n");
  for (const auto& [name, value] : facts)
    std::printf("  %s  %s\n", Printable(name).c_str(), Printable(value).c_str());
}

int Inspect(const InspectOptions& options) {
  Work work(options.common);
  const Model model = work.Load(options.model);
  work.line().Clear();
  const Report metadata = model.Report(INTMILL_REPORT_METADATA);
  if (options.metadata) return PrintMetadata(metadata, options.common.json);
  const auto inputs = model.Ports(INTMILL_INPUT);
  const auto outputs = model.Ports(INTMILL_OUTPUT);
  const Report layers = model.Report(INTMILL_REPORT_LAYERS);
  const Report certificate = model.Report(INTMILL_REPORT_CERTIFICATE);
  if (options.common.json) {
    JsonObject result = JsonObject()
                            .Raw("inputs", PortsToJson(inputs))
                            .Raw("outputs", PortsToJson(outputs))
                            .Raw("layers", layers.Json());
    if (certificate.rows() > 0) result.Raw("certificate", certificate.Json());
    JsonObject compiled;
    for (const auto& [name, value] : CompiledFacts(metadata)) compiled.Text(name, value);
    if (!CompiledFacts(metadata).empty()) result.Raw("compiled", compiled.text());
    std::printf("%s\n", result.text().c_str());
    return 0;
  }
  std::printf("%s  %s\n", options.model.c_str(),
              FormatBytes(static_cast<double>(FileSize(options.model))).c_str());
  PrintPorts("inputs", inputs);
  PrintPorts("outputs", outputs);
  std::printf("\n");
  PrintLayers(layers);
  PrintSummary(layers);
  std::fputs(CertificateText(certificate).c_str(), stdout);
  PrintCompiled(metadata);
  return 0;
}

constexpr const char* kFooter =
    "Each layer has a row: its operator, the type and shape of its first output, its weights, and\n"
    "how it computes: 'static' or 'dynamic' in integers, 'float' where it could be quantized but "
    "is\n"
    "not, nothing where there is no arithmetic worth quantizing. The note says why a layer would\n"
    "not run fast. A ? in a shape is decided when the model runs. A certificate says what a model\n"
    "was measured to lose, on which data; 'intmill verify MODEL --data' measures that again.\n"
    "\n"
    "Examples:\n"
    "  intmill inspect model.onnx\n"
    "  intmill inspect model.im --metadata     where the file comes from, how it was made\n"
    "  intmill inspect model.ims               what it was compiled for, too\n"
    "  intmill inspect model.im --json\n"
    "\n"
    "JSON: {\"inputs\":[{\"name\",\"dtype\",\"shape\"}],\"outputs\":[...],\"layers\":[...]}, -1 in "
    "a\n"
    "shape where it is free, \"certificate\":[{\"fact\",\"name\",\"value\"}] where there is one,\n"
    "\"compiled\":{what it was compiled for} of an .ims file;\n"
    "with --metadata one object of keys and values.";

}  // namespace

void AddInspect(CommandLine& line) {
  auto options = std::make_shared<InspectOptions>();
  Command command = line.Add("inspect", "Show inputs, outputs, layers, precisions and sizes");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "An .onnx, .im or .ims file");
  command.Flag("--metadata", options->metadata, "Show the file's metadata instead");
  AddJsonOption(command, options->common);
  command.OnRun([options] { return Inspect(*options); });
}

}  // namespace intmill::cli
