// Metric: from a verification's figures, or from what a user's program says.
#include "cli/metric.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/mixed_precision.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): glibc declares it for GNU only

namespace intmill::cli {
namespace {

double Figure(const Report& summary, const std::string& key) {
  return summary.Number(summary.Row(key), "value");
}

bool IsKnown(const std::string& name) {
  return name == "top1" || name == "top5" || name == "cosine" || name == "mse";
}

// Lies there while a program looks at it.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

Metric::Metric(std::string name, std::string output, bool has_labels)
    : name_(std::move(name)), output_(std::move(output)) {
  if (name_ == "top5" && !has_labels) throw UsageError("--metric top5: give --labels");
  if (IsKnown(name_)) return;
  is_program_ = true;
  if (access(name_.c_str(), X_OK) != 0)
    throw UsageError(
        Cat("--metric: found '", name_,
            "', wanted top1, top5, cosine, mse or the path of a program: ", std::strerror(errno)));
}

double DropFrom(const std::string& metric, const Report& summary, const Report& outputs) {
  if (metric == "cosine" || metric == "mse") {
    double worst = 0;
    for (int64_t i = 0; i < outputs.rows(); ++i) {
      const double loss = metric == "cosine" ? 1 - outputs.Number(i, "cosine")
                                             : std::pow(10, -outputs.Number(i, "sqnr_db") / 10);
      if (std::isnan(loss)) return loss;
      worst = std::max(worst, loss);
    }
    return worst;
  }
  const double drop =
      Figure(summary, "reference_" + metric) - Figure(summary, "candidate_" + metric);
  return std::isnan(drop) && metric == "top1" ? 100 - Figure(summary, "agreement") : drop;
}

double Metric::DropOf(const MixedInputs& inputs, const Model& candidate, Work& work) const {
  if (is_program_) return ExitCode(candidate);
  Probe probe = Probe::Verify(inputs.model, candidate, work.options());
  Feeder feeder(inputs.model, inputs.name, inputs.data);
  work.ForEachBatch("verify", feeder, [&](const std::vector<Tensor>& batch) {
    std::vector<Tensor> targets;
    if (!inputs.labels.empty()) targets.push_back(LabelsOf(inputs.labels, feeder.batch()));
    probe.Feed(batch, targets);
  });
  return DropFrom(name_, probe.Report(INTMILL_REPORT_SUMMARY),
                  probe.Report(INTMILL_REPORT_OUTPUTS));
}

// Its standard output goes where ours must not be disturbed: to standard error.
double Metric::ExitCode(const Model& candidate) const {
  const TemporaryFile file(Cat(output_, ".candidate-", getpid(), ".im"));
  candidate.Save(file.path());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::string program = name_;
  std::string path = file.path();
  char* const arguments[] = {program.data(), path.data(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, name_.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw Failure(Cat(name_, ": cannot be run: ", std::strerror(error)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw Failure(Cat(name_, ": ", std::strerror(errno)));
  ThrowIfInterrupted();
  if (!WIFEXITED(status)) throw Failure(Cat(name_, ": ended by signal ", WTERMSIG(status)));
  return WEXITSTATUS(status);
}

}  // namespace intmill::cli
