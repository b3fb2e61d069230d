// What the subcommands share: common options, loading with progress, hints.
#include "cli/command.h"

#include <cstdio>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include "cli/error.h"
#include "cli/file.h"
#include "cli/json.h"

namespace intmill::cli {
namespace {

constexpr int64_t kLongestRecipe = int64_t{1} << 24;
constexpr int64_t kMostThreads = 1024;
constexpr int64_t kLargestPicture = 16384;
constexpr int64_t kLargestBatch = 65536;

Options ReadRecipe(const std::string& path) {
  const std::string json = ReadText(path, kLongestRecipe);
  try {
    return Options::FromJson(json);
  } catch (const Error& error) {
    throw Failure(Cat(path, ": ", error.what()));
  }
}

}  // namespace

void AddJsonOption(Command& command, CommonOptions& common) {
  command.Flag("--json", common.json, "Print the result as one line of JSON");
}

void AddRunOptions(Command& command, CommonOptions& common) {
  command.Integer("--threads", "N", common.threads, 0, kMostThreads,
                  "Threads; 0: all CPUs this process may use");
  command.Flag("-q,--quiet", common.is_quiet, "No progress and no hints on standard error");
  AddJsonOption(command, common);
}

void AddRebuildOption(Command& command, CommonOptions& common) {
  command.Flag("--rebuild-stale", common.rebuild_stale,
               "An .ims file that was compiled for something else is compiled anew, not refused");
}

void AddDataOptions(Command& command, DataOptions& data, Need need) {
  command.Group("Data");
  command.Texts("--data", "NAME=PATH", data.data, need,
                "Data for an input: .npy or .npz (first dimension = samples), IDX (also .gz), or a "
                "folder of JPEG and PNG pictures in file-name order. Once for each input; NAME= "
                "may be left out when there is one input");
  command.Integer("--samples", "N", data.samples, 1, std::numeric_limits<int64_t>::max(),
                  "Take N evenly spaced samples; default: all");
  command.Integer("--size", "S", data.size, 1, kLargestPicture,
                  "Pictures: bring the short side to S and crop the centre, S x S, unless they "
                  "have that size already");
  command.Text("--scale", "X[,X...]", data.scale, Need::kOptional,
               "u8 data becomes (x * scale - mean) / std; one number or one a channel, as 0.5, "
               "1/255 or 1/255,1/255,1/255; default 1");
  command.Text("--mean", "X[,X...]", data.mean, Need::kOptional, "See --scale; default 0");
  command.Text("--std", "X[,X...]", data.deviation, Need::kOptional, "See --scale; default 1");
  command.Choice("--layout", "LAYOUT", data.layout, {"nchw", "nhwc"},
                 "How pictures lie in a .npy or .npz: nchw or nhwc; default: whichever fits");
  command.Integer("--batch", "N", data.batch, 1, kLargestBatch,
                  "Samples at once; default: as suits the model");
  command.Group("Options");
}

Work::Work(const CommonOptions& common) : is_quiet_(common.is_quiet), line_(!common.is_quiet) {
  Connect(common);
}

Work::Work(const CommonOptions& common, const std::string& recipe)
    : is_quiet_(common.is_quiet),
      line_(!common.is_quiet),
      options_(recipe.empty() ? Options() : ReadRecipe(recipe)) {
  Connect(common);
}

void Work::Connect(const CommonOptions& common) {
  if (common.rebuild_stale) options_.Set(INTMILL_OPT_REBUILD_STALE, 1);
  if (common.threads != 0) options_.Set(INTMILL_OPT_THREADS, common.threads);
  options_.OnProgress([this](const intmill_progress& now) {
    if (!is_feeding_) line_.Show(now.stage, now.done, now.total);
    return !IsInterrupted();
  });
}

int64_t Work::Threads() const {
  const int64_t wanted = IntegerIn(options_.Json(), "threads");
  if (wanted > 0) return wanted;
  Report facts;
  Check(intmill_doctor(facts.Out()));
  return std::stoll(facts.Text(facts.Row("threads"), "value"));
}

void Work::ForEachBatch(const std::string& stage, Feeder& feeder,
                        const std::function<void(const std::vector<Tensor>&)>& feed,
                        int64_t workers) {
  std::mutex mutex;
  std::exception_ptr failure;
  int64_t done = 0;
  const auto next = [&](std::vector<Tensor>& inputs, int64_t finished) {
    const std::lock_guard lock(mutex);
    done += finished;
    line_.Show(stage, done, feeder.count());
    ThrowIfInterrupted();
    return failure || !feeder.Next(inputs) ? 0 : static_cast<int64_t>(feeder.batch().size());
  };
  const auto work = [&] {
    try {
      std::vector<Tensor> inputs;
      for (int64_t rows = next(inputs, 0); rows > 0; rows = next(inputs, rows)) feed(inputs);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  is_feeding_ = true;
  {
    std::vector<std::jthread> others;
    for (int64_t i = 1; i < workers; ++i) others.emplace_back(work);
    work();
  }
  is_feeding_ = false;
  if (failure) std::rethrow_exception(failure);
  line_.Clear();
}

void Work::Note(const std::string& message) {
  if (is_quiet_) return;
  line_.Clear();
  std::fprintf(stderr, "intmill: %s\n", message.c_str());
}

void NoteRawBytes(Work& work, const Feeder& feeder) {
  if (feeder.has_raw_bytes())
    work.Note("note: u8 data is fed as 0 to 255; --scale 1/255 makes it 0 to 1");
}

}  // namespace intmill::cli
