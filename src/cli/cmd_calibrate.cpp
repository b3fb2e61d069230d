// intmill calibrate: keeps what a float model does with data, or with one shard of it, in a file.
#include <chrono>
#include <cstdio>

#include "cli/command.h"
#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"
#include "cli/scheme_options.h"

namespace intmill::cli {
namespace {

struct CalibrateOptions {
  CommonOptions common;
  DataOptions data;
  std::string model;
  std::string statistics;
  std::string shard;
};

int RunCalibrate(const CalibrateOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const Shard shard = options.shard.empty() ? Shard() : ParseShard(options.shard);
  Work work(options.common);
  const Model model = work.Load(options.model);
  Feeder feeder(model, options.model, options.data);
  NoteRawBytes(work, feeder);
  feeder.TakeShard(shard);
  const Probe calibration = Calibrate(model, feeder, work);
  calibration.Save(options.statistics, &work.options());
  work.line().Clear();

  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const int64_t bytes = FileSize(options.statistics);
  if (options.common.json) {
    const JsonObject result = JsonObject()
                                  .Integer("samples", feeder.count())
                                  .Integer("output_bytes", bytes)
                                  .Number("seconds", elapsed.count(), 3)
                                  .Number("peak_rss_mb", PeakMemoryMb(), 1);
    std::printf("%s\n", result.text().c_str());
    return 0;
  }
  std::printf("%s: %s, %lld samples; %s s, peak memory %s MB\n", options.statistics.c_str(),
              FormatBytes(static_cast<double>(bytes)).c_str(),
              static_cast<long long>(feeder.count()), FormatNumber(elapsed.count(), 2).c_str(),
              FormatNumber(PeakMemoryMb(), 1).c_str());
  return 0;
}

constexpr const char* kFooter =
    "Runs MODEL on your data and writes what its activations were like: counts and extremes, none\n"
    "of the data. 'intmill quantize --stats' makes the 8-bit file of it, with any --method.\n"
    "\n"
    "--shard I/N takes every N-th batch, so that N processes or machines share the work; 'intmill\n"
    "merge' adds their files up. One process or many, in any order: the result is the same, bit\n"
    "for bit. A shard that failed is simply run again, and data that comes later is a file more.\n"
    "Where there are fewer batches than shards some files say that they saw nothing, which is no\n"
    "mistake; --batch makes batches smaller.\n"
    "\n"
    "Examples:\n"
    "  intmill calibrate model.onnx --data image=calib.npy --stats all.imstat\n"
    "  seq 16 | parallel intmill calibrate model.onnx --data image=calib.npy --threads 1 \\\n"
    "      --shard {}/16 --stats s{}.imstat\n"
    "  intmill merge s*.imstat -o all.imstat\n"
    "\n"
    "JSON: {\"samples\",\"output_bytes\",\"seconds\",\"peak_rss_mb\"}";

}  // namespace

void AddCalibrate(CommandLine& line) {
  auto options = std::make_shared<CalibrateOptions>();
  Command command =
      line.Add("calibrate", "Keep what a model's activations are like, to quantize later");
  command.Footer(kFooter);
  command.Positional("MODEL", options->model, "The float model: an .onnx or .im file");
  command.Text("--stats", "OUT.imstat", options->statistics, Need::kRequired,
               "The file to write; replaced as a whole");
  command.Text("--shard", "I/N", options->shard, Need::kOptional, "Do the I-th of N parts only");
  AddDataOptions(command, options->data, Need::kRequired);
  AddRunOptions(command, options->common);
  command.OnRun([options] { return RunCalibrate(*options); });
}

}  // namespace intmill::cli
