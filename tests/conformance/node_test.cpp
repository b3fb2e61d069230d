// Loads a node test's model and data, runs it in both ways, and compares.
#include "conformance/node_test.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "import/load.h"
#include "import/onnx/tensor_proto.h"
#include "session/session.h"
#include "support/close.h"

namespace intmill::test {
namespace {

namespace fs = std::filesystem;

// As ONNX's own runner, but for the absolute part: its 1e-7 asks more of exp and tanh than float
// arithmetic in another order can give.
constexpr Tolerance kTolerance = {.relative = 1e-3, .absolute = 1e-5};

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

Result<NamedTensor> ReadTensorFile(const std::string& path) {
  ASSIGN_OR_RETURN(const BlobPtr file, MapFile(path));
  const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()),
                              file->bytes().size());
  ASSIGN_OR_RETURN(const std::string_view name, onnx::ReadTensorName(text));
  ASSIGN_OR_RETURN(Tensor tensor, onnx::ReadTensor(text, {file, nullptr}));
  return NamedTensor{std::string(name), std::move(tensor)};
}

// input_0.pb, input_1.pb... as far as they go.
Result<std::vector<NamedTensor>> ReadTensorFiles(const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (int i = 0;; ++i) {
    const std::string path = Cat(prefix, i, ".pb");
    if (!fs::exists(path)) return tensors;
    ASSIGN_OR_RETURN(NamedTensor tensor, ReadTensorFile(path));
    tensors.push_back(std::move(tensor));
  }
}

// In the order of the graph's inputs, which may be fewer: an initializer may stand for one. Some
// files name their tensors otherwise; then the order counts.
Result<std::vector<Tensor>> InputsOf(const Graph& graph, const std::vector<NamedTensor>& tensors) {
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs) {
    const std::string& name = graph.value(id).name;
    auto found = std::ranges::find(tensors, name, &NamedTensor::name);
    if (found == tensors.end() && inputs.size() < tensors.size())
      found = tensors.begin() + static_cast<std::ptrdiff_t>(inputs.size());
    if (found == tensors.end())
      return Error(Code::kInternal, "the test has no data for input '", name, "'");
    inputs.push_back(found->tensor);
  }
  return inputs;
}

Status RunOnce(const std::shared_ptr<const Graph>& graph, const fs::path& data,
               bool references_only) {
  ASSIGN_OR_RETURN(const std::vector<NamedTensor> given,
                   ReadTensorFiles((data / "input_").string()));
  ASSIGN_OR_RETURN(const std::vector<NamedTensor> wanted,
                   ReadTensorFiles((data / "output_").string()));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, InputsOf(*graph, given));
  SessionOptions options;
  options.threads = 1;
  options.references_only = references_only;
  ASSIGN_OR_RETURN(const std::shared_ptr<const Session> session,
                   Session::Create(graph, std::move(options)));
  std::vector<Tensor> outputs(graph->outputs.size());
  TRY(session->Run(inputs, outputs));
  if (outputs.size() != wanted.size())
    return Error(Code::kInternal, outputs.size(), " outputs, wanted ", wanted.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string difference = Differs(outputs[i], wanted[i].tensor, kTolerance);
    if (!difference.empty()) return Error(Code::kInternal, "output ", i, ": ", difference);
  }
  return Ok();
}

std::string Verdict(const Status& status, const char* stage) {
  if (status.ok()) return "passed";
  const bool is_unsupported =
      status.code() == Code::kUnsupported || status.code() == Code::kBadVersion;
  return Cat(is_unsupported ? "unsupported: " : "failed: ", stage, ": ", status.message());
}

Status RunAllData(const std::shared_ptr<const Graph>& graph, const std::string& folder,
                  bool references_only) {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) TRY(RunOnce(graph, entry.path(), references_only));
  }
  return Ok();
}

}  // namespace

std::string RunNodeTest(const std::string& folder) {
  Result<Graph> loaded = LoadModel(folder + "/model.onnx", {});
  if (!loaded.ok()) return Verdict(loaded.status(), "load");
  const auto graph = std::make_shared<const Graph>(*std::move(loaded));
  const Status by_references = RunAllData(graph, folder, true);
  if (!by_references.ok()) return Verdict(by_references, "references");
  return Verdict(RunAllData(graph, folder, false), "compiled");
}

}  // namespace intmill::test
