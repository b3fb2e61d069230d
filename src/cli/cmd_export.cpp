// intmill export: writes a model as an ONNX file that other programs run.
#include <cstdio>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

struct ExportOptions {
  CommonOptions common;
  std::string model;
  std::string output;
};

// What the reader of a foreign file noted about it.
int64_t SourceFact(const Model& model, const char* key) {
  const Report facts = model.Report(INTMILL_REPORT_METADATA);
  return std::stoll(facts.Text(facts.Row(key), "value"));
}

void PrintResult(const ExportOptions& options, const Model& written, int64_t input_bytes) {
  const int64_t output_bytes = FileSize(options.output);
  const int64_t nodes = SourceFact(written, "source.nodes");
  const int64_t opset = SourceFact(written, "source.opset");
  if (options.common.json) {
    const JsonObject result = JsonObject()
                                  .Integer("input_bytes", input_bytes)
                                  .Integer("output_bytes", output_bytes)
                                  .Integer("nodes", nodes)
                                  .Integer("opset", opset);
    std::printf("%s\n", result.text().c_str());
    return;
  }
  std::printf("%s: %s, %lld nodes of opset %lld, from %s (%s)\n", options.output.c_str(),
              FormatBytes(static_cast<double>(output_bytes)).c_str(), static_cast<long long>(nodes),
              static_cast<long long>(opset), options.model.c_str(),
              FormatBytes(static_cast<double>(input_bytes)).c_str());
}

int Export(const ExportOptions& options) {
  Work work(options.common);
  const Model model = work.Load(options.model);
  const int64_t input_bytes = FileSize(options.model);  // now: OUT may be the same file
  work.options().Set(INTMILL_OPT_FORMAT, "onnx");
  model.Save(options.output, &work.options());
  const Model written = work.Load(options.output);
  work.line().Clear();
  PrintResult(options, written, input_bytes);
  return 0;
}

constexpr const char* kFooter =
    "Writes MODEL, quantized or in float, as a standard ONNX file, for ONNX Runtime and other\n"
    "programs that read ONNX. A quantized model becomes a graph of QuantizeLinear\n"
    "and DequantizeLinear around ordinary operators (QDQ). Its weights stay 8-bit integers, so\n"
    "the file is about as small as the .im. The names of inputs, outputs and layers and the\n"
    "metadata are kept. When it is written, the file is read once more to see that it loads.\n"
    "\n"
    "Other programs add up and round in their own order: single values may differ by one step of\n"
    "8 bits, and the layers behind carry that on. 'intmill verify' compares the two files here.\n"
    "\n"
    "Files of more than 2 GiB are refused: they would need a second file for the weights.\n"
    "\n"
    "Examples:\n"
    "  intmill export model.im -o model.qdq.onnx\n"
    "  intmill quantize model.onnx -o model.im --dynamic && intmill export model.im -o dyn.onnx\n"
    "  intmill verify model.im model.qdq.onnx --data image=test.npy --scale 1/255\n"
    "\n"
    "JSON: {\"input_bytes\",\"output_bytes\",\"nodes\",\"opset\"}.";

}  // namespace

void AddExport(CommandLine& line) {
  auto options = std::make_shared<ExportOptions>();
  Command command = line.Add("export", "Write a model as an ONNX file for other programs");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "An .im or .onnx file");
  command.Text("-o,--output", "OUT.onnx", options->output, Need::kRequired,
               "The file to write; replaced as a whole");
  AddJsonOption(command, options->common);
  command.OnRun([options] { return Export(*options); });
}

}  // namespace intmill::cli
