// Runs every model of ../shared/models/onnx with the same random inputs by references and compiled,
// and holds the compiled outputs to the references; quantized models layer by layer.
// expected.txt says what each model does: its input sizes where the file leaves them open, or the
// reason why it does not load.
#include "support/models.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "import/load.h"
#include "ir/op.h"
#include "models/layerwise.h"
#include "session/session.h"
#include "support/isolated.h"

namespace intmill::test {
namespace {

constexpr int kSecondsPerModel = 600;
// Issue 2: float outputs equal the references within 1e-4 relative. Relative to the largest value
// of the output: the elements that cancel to nearly zero carry the rounding of their large terms.
constexpr double kRelative = 1e-4;

Result<std::vector<Tensor>> RunModel(const std::shared_ptr<const Graph>& graph,
                                     const std::vector<Tensor>& inputs, bool references_only) {
  SessionOptions options;
  options.references_only = references_only;
  ASSIGN_OR_RETURN(const std::shared_ptr<const Session> session,
                   Session::Create(graph, std::move(options)));
  std::vector<Tensor> outputs(graph->outputs.size());
  TRY(session->Run(inputs, outputs));
  return outputs;
}

// The largest difference over the largest reference; infinite where one is not finite alone.
double RelativeDifference(const Tensor& found, const Tensor& wanted) {
  double largest = 0;
  double difference = 0;
  for (int64_t i = 0; i < wanted.elements(); ++i) {
    const double a = found.data<float>()[i];
    const double b = wanted.data<float>()[i];
    if (a == b || (std::isnan(a) && std::isnan(b))) {
      if (std::isfinite(b)) largest = std::max(largest, std::abs(b));
      continue;
    }
    if (!std::isfinite(a) || !std::isfinite(b)) return INFINITY;
    largest = std::max(largest, std::abs(b));
    difference = std::max(difference, std::abs(a - b));
  }
  return difference == 0 ? 0 : difference / largest;
}

Status Compare(const std::vector<Tensor>& found, const std::vector<Tensor>& wanted,
               double* largest) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (found[i].dtype() != wanted[i].dtype() || found[i].shape() != wanted[i].shape()) {
      return Error(Code::kInternal, "output ", i, " is ", DTypeName(found[i].dtype()), " ",
                   ToString(found[i].shape()), ", by references ", DTypeName(wanted[i].dtype()),
                   " ", ToString(wanted[i].shape()));
    }
    if (wanted[i].dtype() != DType::kF32) continue;
    *largest = std::max(*largest, RelativeDifference(found[i], wanted[i]));
  }
  if (*largest <= kRelative) return Ok();
  return Error(Code::kInternal, "outputs differ by ", *largest, " of the largest value, wanted ",
               kRelative);
}

// Float models: outputs against outputs.
Result<std::string> CheckOutputs(const std::shared_ptr<const Graph>& graph,
                                 const std::vector<Tensor>& inputs) {
  ASSIGN_OR_RETURN(const std::vector<Tensor> wanted, RunModel(graph, inputs, true));
  ASSIGN_OR_RETURN(const std::vector<Tensor> found, RunModel(graph, inputs, false));
  double largest = 0;
  TRY(Compare(found, wanted, &largest));
  char text[32];
  std::snprintf(text, sizeof(text), "equal %.1e", largest);
  return std::string(text);
}

// Quantized models: each layer against its unfused reference, at most one step of its scale apart.
// A real value half-way between two steps may fall to either side, as references add rounded
// floats and kernels add integers; more than a few such values would be a mistake.
Result<std::string> CheckLayers(const std::shared_ptr<const Graph>& graph,
                                const std::vector<Tensor>& inputs) {
  constexpr int64_t kMaxSteps = 1;
  constexpr int64_t kOneInSoMany = 10'000;
  ASSIGN_OR_RETURN(const LayerDifferences d, CompareLayers(graph, inputs));
  const std::string text = Cat(d.differing, " of ", d.elements, " values of ", d.layers,
                               " layers differ, by at most ", d.max_steps, " steps");
  if (d.layers == 0) return Error(Code::kInternal, "no quantized value was compared");
  if (d.max_steps > kMaxSteps || d.differing * kOneInSoMany > d.elements)
    return Error(Code::kInternal, text, ", most in '", d.worst, "'");
  return "equal: " + text;
}

Result<std::string> CheckModel(const std::string& path, const Expectation& expectation) {
  LoadOptions options;
  options.dims = expectation.dims;
  ASSIGN_OR_RETURN(Graph loaded, LoadModel(path, options));
  const auto graph = std::make_shared<const Graph>(std::move(loaded));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, RandomInputs(*graph, expectation));
  const bool is_quantized =
      std::ranges::any_of(graph->nodes, [](const Node& node) { return node.op->Has(kQuantize); });
  return is_quantized ? CheckLayers(graph, inputs) : CheckOutputs(graph, inputs);
}

// "equal 3.1e-07", "unsupported: ...", "failed: ..." or what killed it.
std::string Judge(const std::string& path, const Expectation& expectation) {
  const Isolated run = RunIsolated(kSecondsPerModel, [&]() -> std::string {
    const Result<std::string> verdict = CheckModel(path, expectation);
    if (verdict.ok()) return *verdict;
    const bool is_unsupported = verdict.status().code() == Code::kUnsupported;
    return (is_unsupported ? "unsupported: " : "failed: ") + verdict.status().message();
  });
  return run.finished ? run.text : run.failure;
}

int Main(const std::string& only) {
  const std::string shared = SharedFolder();
  if (shared.empty()) {
    std::printf("skipped: no folder ../shared with real models (INTMILL_SHARED says where)\n");
    return kSkipped;
  }
  int failures = 0;
  for (const Expectation& expectation : ReadExpectations()) {
    if (!only.empty() && expectation.model != only) continue;
    const std::string verdict = Judge(shared + "/models/onnx/" + expectation.model, expectation);
    const bool is_right = verdict.starts_with(expectation.verdict);
    std::printf("%s %s: %s\n", is_right ? "ok  " : "FAIL", expectation.model.c_str(),
                verdict.c_str());
    std::fflush(stdout);
    failures += is_right ? 0 : 1;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main(int argc, char** argv) { return intmill::test::Main(argc > 1 ? argv[1] : ""); }
