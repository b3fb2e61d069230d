// Breaks model files on purpose: cut off at every byte, and with one byte changed at random.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "format/format.h"
#include "import/load.h"
#include "robustness/cases.h"
#include "robustness/small_models.h"
#include "session/session.h"
#include "support/isolated.h"
#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

constexpr int64_t kChanges = 10'000;  // over all files

struct File {
  std::string name;
  std::string bytes;
};

std::string Truncated(const File& file, int64_t i) {
  return file.bytes.substr(0, static_cast<size_t>(i));
}

// The .im file of an ONNX model, or "" with a message printed. Saved in a child: see RunIsolated.
std::string IntmillFile(const std::string& name, const std::string& onnx) {
  const Isolated saved = RunIsolated(60, [&] {
    std::string bytes;
    const Result<Graph> graph = LoadModelFromMemory(BlobOf(onnx), {});
    const Status status =
        graph.ok()
            ? WriteModel(*graph,
                         [&](std::span<const std::byte> piece) {
                           bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
                           return Ok();
                         })
            : graph.status();
    if (!status.ok()) std::printf("%s: %s\n", name.c_str(), status.message().c_str());
    std::fflush(stdout);
    return status.ok() ? bytes : "";
  });
  if (!saved.finished) std::printf("%s: %s\n", name.c_str(), saved.failure.c_str());
  return saved.finished ? saved.text : "";
}

// A model that never ran would make the rest say nothing.
int CheckWhole(const File& file) {
  const Isolated run = RunIsolated(60, [&]() -> std::string {
    Result<Graph> loaded = LoadModelFromMemory(BlobOf(file.bytes), {});
    if (!loaded.ok()) return loaded.status().message();
    const auto graph = std::make_shared<const Graph>(*std::move(loaded));
    const Result<std::shared_ptr<const Session>> session = Session::Create(graph, {});
    if (!session.ok()) return session.status().message();
    std::vector<Tensor> outputs(graph->outputs.size());
    return (*session)->Run(InputsFor(*graph), outputs).message();
  });
  if (run.finished && run.text.empty()) return 0;
  std::printf("%s does not run: %s%s\n", file.name.c_str(), run.text.c_str(), run.failure.c_str());
  return 1;
}

int Main() {
  std::vector<File> files = {{"convolution.onnx", ConvolutionModel()},
                             {"shape.onnx", ShapeModel()},
                             {"quantized.onnx", QuantizedModel()}};
  for (size_t i = 0; i < 3; ++i) {
    const std::string bytes = IntmillFile(files[i].name, files[i].bytes);
    if (bytes.empty()) return 1;
    files.push_back({files[i].name.substr(0, files[i].name.size() - 5) + ".im", bytes});
  }
  int wrong = 0;
  for (const File& file : files) {
    wrong += CheckWhole(file);
    const auto size = static_cast<int64_t>(file.bytes.size());
    wrong += RunCases(file.name + " cut", size, [&](int64_t i) { return Truncated(file, i); });
    const int64_t changes = kChanges / static_cast<int64_t>(files.size()) + 1;
    wrong += RunCases(file.name + " changed", changes,
                      [&](int64_t i) { return Changed(file.bytes, i); });
  }
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main() { return intmill::test::Main(); }
