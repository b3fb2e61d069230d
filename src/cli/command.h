// What the subcommands share: common options, loading with progress, and the list of them.
#ifndef INTMILL_CLI_COMMAND_H
#define INTMILL_CLI_COMMAND_H

#include <functional>
#include <string>

#include <intmill/intmill.hpp>

#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/feeder.h"

namespace intmill::cli {

// Each adds one subcommand to the program; its file says what it does.
void AddInspect(CommandLine& line);
void AddQuantize(CommandLine& line);
void AddVerify(CommandLine& line);
void AddRun(CommandLine& line);
void AddBench(CommandLine& line);
void AddCompile(CommandLine& line);
void AddExport(CommandLine& line);
void AddDoctor(CommandLine& line);
void AddCalibrate(CommandLine& line);
void AddMerge(CommandLine& line);
void AddSensitivity(CommandLine& line);
void AddExplain(CommandLine& line);
void AddReport(CommandLine& line);

struct CommonOptions {
  bool json = false;
  bool is_quiet = false;
  int64_t threads = 0;
  bool rebuild_stale = false;
};

void AddJsonOption(Command& command, CommonOptions& common);
void AddRunOptions(Command& command, CommonOptions& common);  // --threads, --quiet and --json
void AddRebuildOption(Command& command, CommonOptions& common);
void AddDataOptions(Command& command, DataOptions& data, Need need);

// The library's options of one command: progress goes to a line on the terminal, Ctrl-C to the
// library. Outlives everything made with them.
class Work {
 public:
  explicit Work(const CommonOptions& common);
  // Starts from the recipe in a JSON file.
  Work(const CommonOptions& common, const std::string& recipe);

  Options& options() { return options_; }
  ProgressLine& line() { return line_; }
  int64_t Threads() const;  // what the options say, or as many as this process may use
  Model Load(const std::string& path) { return Model::Load(path, &options_); }
  // Feeds every batch to `feed` under one progress bar; with more than one worker, from as many
  // threads at once and in no order.
  void ForEachBatch(const std::string& stage, Feeder& feeder,
                    const std::function<void(const std::vector<Tensor>&)>& feed,
                    int64_t workers = 1);
  // One line for the user who watches; not part of the result.
  void Note(const std::string& message);

 private:
  void Connect(const CommonOptions& common);

  bool is_quiet_;
  bool is_feeding_ = false;
  ProgressLine line_;
  Options options_;
};

// Hints that the data may need scaling.
void NoteRawBytes(Work& work, const Feeder& feeder);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_COMMAND_H
