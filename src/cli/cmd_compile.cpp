// intmill compile: writes a model together with what it is compiled to here, for a fast start.
#include <algorithm>
#include <cstdio>

#include "cli/bench_input.h"
#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

constexpr int64_t kLargestBatch = 65536;

struct CompileOptions {
  CommonOptions common;
  InputOptions input;
  std::string output;
};

bool IsFree(const Port& port) { return std::ranges::count(port.dims, -1) > 0; }

// Free sizes are compiled by the first run that fixes them.
std::vector<Tensor> FixSizes(const Session& session, const Model& model,
                             const InputOptions& options) {
  const auto ports = model.Ports(INTMILL_INPUT);
  if (std::ranges::none_of(ports, IsFree)) return {};
  std::vector<Tensor> inputs = MakeInputs(model, options);
  session.Run(inputs);
  return inputs;
}

std::string ShapesText(const Model& model, const std::vector<Tensor>& inputs) {
  std::string text;
  for (const Tensor& t : inputs) text += (text.empty() ? "" : ", ") + ShapeText(t.dims());
  if (!inputs.empty()) return text;
  for (const Port& port : model.Ports(INTMILL_INPUT))
    text += (text.empty() ? "" : ", ") + ShapeText(port.dims);
  return text;
}

int Compile(const CompileOptions& options) {
  Work work(options.common);
  work.options().Set(INTMILL_OPT_REBUILD_STALE, 1);
  const Model model = work.Load(options.input.model);
  const Session session(model, work.options());
  const std::vector<Tensor> inputs = FixSizes(session, model, options.input);
  session.Save(options.output);
  work.line().Clear();
  const int64_t bytes = FileSize(options.output);
  const std::string shapes = ShapesText(model, inputs);
  if (options.common.json) {
    const JsonObject result = JsonObject()
                                  .Text("output", options.output)
                                  .Integer("bytes", bytes)
                                  .Integer("threads", work.Threads())
                                  .Text("inputs", shapes);
    std::printf("%s\n", result.text().c_str());
    return 0;
  }
  std::printf("%s  %s, for inputs of %s and %lld threads\n", Printable(options.output).c_str(),
              FormatBytes(static_cast<double>(bytes)).c_str(), shapes.c_str(),
              static_cast<long long>(work.Threads()));
  return 0;
}

constexpr const char* kFooter =
    "OUT.ims has the whole model, and its weights once more in the form in which this machine "
    "reads\n"
    "them, so that 'run', 'bench' and programs start many times faster; what comes out is the "
    "same.\n"
    "It is for this processor, this build of intmill and oneDNN, and this number of threads:\n"
    "elsewhere it is refused, and --rebuild-stale of 'run' and 'bench' compiles its model anew.\n"
    "Where sizes are free, --batch and --shape say what is compiled; other sizes work as ever.\n"
    "\n"
    "Examples:\n"
    "  intmill compile model.im -o model.ims\n"
    "  intmill compile model.im -o model.ims --threads 1 --batch 8\n"
    "  intmill inspect model.ims               what it was compiled for\n"
    "\n"
    "JSON: {\"output\",\"bytes\",\"threads\",\"inputs\"}";

}  // namespace

void AddCompile(CommandLine& line) {
  auto options = std::make_shared<CompileOptions>();
  Command command = line.Add("compile", "Compile a model for this machine, for a fast start");
  command.Footer(kFooter);
  command.Positional("MODEL", options->input.model, "An .onnx, .im or .ims file");
  command.Text("-o,--output", "OUT.ims", options->output, Need::kRequired,
               "The file to write; replaced as a whole");
  command.Integer("--batch", "N", options->input.batch, 1, kLargestBatch,
                  "Size of a free first dimension; default 1");
  command.Texts("--shape", "NAME=AxBxC", options->input.shapes, Need::kOptional,
                "Shape of an input, where the model leaves it free; once for each input");
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Compile(*options); });
}

}  // namespace intmill::cli
