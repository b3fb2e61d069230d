// Tries broken files one by one in a child process that is replaced when one kills it.
#include "robustness/cases.h"

#include <atomic>
#include <cstdio>
#include <random>
#include <sys/mman.h>

#include "import/load.h"
#include "session/session.h"
#include "support/isolated.h"
#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

constexpr unsigned kSecondsPerCase = 10;
constexpr int kSecondsPerChild = 600;
constexpr int64_t kMaxWrong = 20;  // then it is clear enough
constexpr int64_t kMaxInputBytes = int64_t{4} << 20;
constexpr int64_t kMemoryLimit = int64_t{64} << 20;

// "" when the status is fine or a proper error.
std::string WrongMessage(const Status& status) {
  if (status.ok()) return "";
  if (status.message().empty()) return "an error without a message";
  if (status.code() == Code::kInternal) return "an internal error: " + status.message();
  return "";
}

std::string RunLoaded(const std::shared_ptr<const Graph>& graph, bool references_only) {
  const std::vector<Tensor> inputs = InputsFor(*graph);
  if (inputs.size() != graph->inputs.size()) return "";
  SessionOptions options;
  options.threads = 1;
  options.memory_limit = kMemoryLimit;
  options.references_only = references_only;
  const Result<std::shared_ptr<const Session>> session = Session::Create(graph, std::move(options));
  if (!session.ok()) return WrongMessage(session.status());
  std::vector<Tensor> outputs(graph->outputs.size());
  return WrongMessage((*session)->Run(inputs, outputs));
}

// Where a child is, readable after its death.
struct Progress {
  std::atomic<int64_t> next = 0;
  std::atomic<int64_t> loaded = 0;  // broken files that load all the same, and so were run
  std::atomic<int64_t> wrong = 0;
};

// "" when all is well with this file.
std::string Try(const std::string& bytes, Progress& progress) {
  Result<Graph> loaded = LoadModelFromMemory(BlobOf(bytes), {});
  if (!loaded.ok()) return WrongMessage(loaded.status());
  ++progress.loaded;
  const auto graph = std::make_shared<const Graph>(*std::move(loaded));
  const std::string wrong = RunLoaded(graph, true);
  return wrong.empty() ? RunLoaded(graph, false) : wrong;
}

Progress* SharedProgress() {
  void* const memory =
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Progress();
}

}  // namespace

namespace {

// Integers of -1 to 2, which as indices and axes are sometimes right; bools are 0 or 1.
void Fill(Tensor& tensor, std::mt19937& random) {
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    const uint32_t r = random();
    switch (tensor.dtype()) {
      case DType::kF32:
        tensor.mutable_data<float>()[i] = static_cast<float>(r) / 2147483648.0f - 1.0f;
        break;
      case DType::kS64:
        tensor.mutable_data<int64_t>()[i] = static_cast<int64_t>(r % 4) - 1;
        break;
      case DType::kS16:
        tensor.mutable_data<int16_t>()[i] = static_cast<int16_t>(r);
        break;
      case DType::kS32:
        tensor.mutable_data<int32_t>()[i] = static_cast<int32_t>(r % 4) - 1;
        break;
      case DType::kBool:
        tensor.mutable_data<bool>()[i] = r % 2 == 1;
        break;
      case DType::kU8:
      case DType::kS8:
        tensor.mutable_data<std::byte>()[i] = static_cast<std::byte>(r);
        break;
      default:
        break;  // zeros
    }
  }
}

}  // namespace

std::vector<Tensor> InputsFor(const Graph& graph) {
  std::vector<Tensor> inputs;
  std::mt19937 random(1);
  int64_t bytes = 0;
  for (const ValueId id : graph.inputs) {
    const Value& value = graph.value(id);
    Shape shape = value.shape.value_or(Shape());
    for (int64_t& dim : shape) {
      if (dim == kDynamic) dim = 2;
    }
    if (!CheckShape(shape, value.dtype).ok()) return {};
    bytes += NumBytes(shape, value.dtype);
    if (bytes > kMaxInputBytes) return {};
    Result<Tensor> tensor = Tensor::Make(value.dtype, shape);
    if (!tensor.ok()) return {};
    Fill(*tensor, random);
    inputs.push_back(*std::move(tensor));
  }
  return inputs;
}

// mt19937 is specified to the bit.
std::string Changed(std::string bytes, int64_t i) {
  std::mt19937 random(static_cast<uint32_t>(i));
  const size_t at = random() % bytes.size();
  bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1 + random() % 255));
  return bytes;
}

int RunCases(const std::string& what, int64_t n, const std::function<std::string(int64_t)>& make) {
  Progress* const progress = SharedProgress();
  if (progress == nullptr) return 1;
  while (progress->next < n && progress->wrong < kMaxWrong) {
    const Isolated run = RunIsolated(kSecondsPerChild, [&]() -> std::string {
      for (; progress->next < n; ++progress->next) {
        alarm(kSecondsPerCase);
        const std::string message = Try(make(progress->next), *progress);
        if (message.empty()) continue;
        ++progress->wrong;
        std::printf("%s %lld: %s\n", what.c_str(), static_cast<long long>(progress->next.load()),
                    message.c_str());
        std::fflush(stdout);
      }
      return "";
    });
    if (run.finished) break;
    ++progress->wrong;
    std::printf("%s %lld: %s\n", what.c_str(), static_cast<long long>(progress->next.load()),
                run.failure.c_str());
    ++progress->next;
  }
  std::printf("%s: %lld tried, %lld load and run\n", what.c_str(), static_cast<long long>(n),
              static_cast<long long>(progress->loaded.load()));
  const auto wrong = static_cast<int>(progress->wrong.load());
  munmap(progress, sizeof(Progress));
  return wrong;
}

}  // namespace intmill::test
