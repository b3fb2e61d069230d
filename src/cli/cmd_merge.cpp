// intmill merge: adds up what several calibrations saw.
#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/scheme_options.h"

namespace intmill::cli {
namespace {

struct MergeOptions {
  CommonOptions common;
  std::vector<std::string> inputs;
  std::string output;
};

bool HoldsTheSame(const std::string& a, const std::string& b) {
  const MappedFile one(a);
  const MappedFile other(b);
  return std::ranges::equal(one.bytes(), other.bytes());
}

// A shard given twice would count twice, and nothing could tell afterwards.
Probe LoadShard(const std::vector<std::string>& paths, size_t i, Work& work) {
  Probe shard = Probe::Load(paths[i], &work.options());
  for (size_t k = 0; k < i && SamplesOf(shard) > 0; ++k)
    if (HoldsTheSame(paths[i], paths[k]))
      throw Failure(Cat(paths[i], ": holds the same as ", paths[k], "; give each shard once"));
  return shard;
}

int Merge(const MergeOptions& options) {
  Work work(options.common);
  Probe sum = LoadShard(options.inputs, 0, work);
  for (size_t i = 1; i < options.inputs.size(); ++i) {
    const Probe shard = LoadShard(options.inputs, i, work);
    try {
      sum.Merge(shard);
    } catch (const Error& error) {
      throw Failure(Cat(options.inputs[i], ": ", error.what()));
    }
  }
  sum.Save(options.output, &work.options());
  const int64_t bytes = FileSize(options.output);
  work.line().Clear();
  if (options.common.json) {
    const JsonObject result = JsonObject()
                                  .Integer("files", static_cast<int64_t>(options.inputs.size()))
                                  .Integer("samples", SamplesOf(sum))
                                  .Integer("output_bytes", bytes);
    std::printf("%s\n", result.text().c_str());
    return 0;
  }
  std::printf("%s: %s, %lld samples from %zu files\n", options.output.c_str(),
              FormatBytes(static_cast<double>(bytes)).c_str(),
              static_cast<long long>(SamplesOf(sum)), options.inputs.size());
  return 0;
}

constexpr const char* kFooter =
    "Adds up the files that 'intmill calibrate' wrote for one model, in any order and as often as\n"
    "you like: merged files can be merged again. Files of different models are refused.\n"
    "\n"
    "Example:\n"
    "  intmill merge s*.imstat -o all.imstat\n"
    "  intmill quantize model.onnx --stats all.imstat -o model.im\n"
    "\n"
    "JSON: {\"files\",\"samples\",\"output_bytes\"}";

}  // namespace

void AddMerge(CommandLine& line) {
  auto options = std::make_shared<MergeOptions>();
  Command command = line.Add("merge", "Add up what several calibrations saw");
  command.Footer(kFooter);
  command.Positionals("FILE.imstat", options->inputs, "Files of statistics, all of one model");
  command.Text("-o,--output", "OUT.imstat", options->output, Need::kRequired,
               "The file to write; replaced as a whole");
  AddRunOptions(command, options->common);
  command.OnRun([options] { return Merge(*options); });
}

}  // namespace intmill::cli
