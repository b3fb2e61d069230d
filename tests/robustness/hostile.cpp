// Loads files that were made to cost much: each is refused or loaded within a second of CPU time
// and within 64 MiB, and what loads runs or refuses to under a memory limit.
#include <cstdio>
#include <memory>
#include <string>
#include <sys/resource.h>

#include "import/load.h"
#include "robustness/bombs.h"
#include "robustness/small_models.h"
#include "session/session.h"
#include "support/isolated.h"
#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers take memory and time of their own; here they look for errors only.
constexpr double kMaxSeconds = 20;
constexpr double kMaxMegabytes = 4096;
#else
#ifdef NDEBUG
constexpr double kMaxSeconds = 1;
#else
constexpr double kMaxSeconds = 5;  // checks and little optimization
#endif
constexpr double kMaxMegabytes = 64;
#endif
constexpr int64_t kMemoryLimit = int64_t{64} << 20;
constexpr int kSecondsToRun = 60;

rusage Usage() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}

double PeakMegabytes() { return static_cast<double>(Usage().ru_maxrss) / 1024; }

// Of this process alone: other tests run beside it.
double CpuSeconds() {
  const rusage usage = Usage();
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// The status of one run with an input of two zeros.
Status RunUnderLimit(Graph loaded) {
  const auto graph = std::make_shared<const Graph>(std::move(loaded));
  SessionOptions options;
  options.threads = 1;
  options.memory_limit = kMemoryLimit;
  ASSIGN_OR_RETURN(const std::shared_ptr<const Session> session,
                   Session::Create(graph, std::move(options)));
  std::vector<Tensor> inputs;
  for (const ValueId id : graph->inputs) {
    ASSIGN_OR_RETURN(Tensor input, Tensor::Make(graph->value(id).dtype, *graph->value(id).shape));
    inputs.push_back(std::move(input));
  }
  std::vector<Tensor> outputs(graph->outputs.size());
  return session->Run(inputs, outputs);
}

// "" or what was wrong, after a line for the reader.
std::string Try(const Bomb& bomb, double megabytes_before) {
  const BlobPtr file = BlobOf(bomb.bytes);
  const double start = CpuSeconds();
  Result<Graph> graph = LoadModelFromMemory(file, {});
  const double seconds = CpuSeconds() - start;
  const double megabytes = PeakMegabytes() - megabytes_before;
  const std::string message = graph.ok() ? "loads" : graph.status().message().substr(0, 100);
  const Status run = graph.ok() ? RunUnderLimit(*std::move(graph)) : Ok();
  std::printf("%-40s %5.2f s %5.0f MiB  %s; %s\n", bomb.name.c_str(), seconds, megabytes,
              message.c_str(), run.message().substr(0, 100).c_str());
  std::fflush(stdout);
  if (seconds > kMaxSeconds) return bomb.name + " takes too long to load";
  if (megabytes > kMaxMegabytes) return bomb.name + " takes too much memory to load";
  return "";
}

int Main() {
  int wrong = 0;
  for (const Bomb& bomb : Bombs()) {
    const Isolated run = RunIsolated(kSecondsToRun, [&] {
      // Code and tables that every model needs are not the bomb's.
      (void)LoadModelFromMemory(BlobOf(ShapeModel()), {});
      return Try(bomb, PeakMegabytes());
    });
    if (run.finished && run.text.empty()) continue;
    ++wrong;
    std::printf("FAIL %s: %s%s\n", bomb.name.c_str(), run.text.c_str(), run.failure.c_str());
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main() { return intmill::test::Main(); }
