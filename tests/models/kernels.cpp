// Holds every kernel of every real model's plan against its operator's reference, with the inputs
// that the kernel really gets: integers within one step of the output scale, floats within 1e-4 of
// the largest value. All that with 1, 2 and 4 threads, and the same bits with each, up to the first
// product of floats. The arena is at most 15 % larger than what is alive at once. Float models are
// checked as they are and quantized, with static and with dynamic ranges. Under a sanitizer the
// references, ten times slower there, do not run, unless a model is named: what they are compared
// for is found without one.
//   kernels [model.onnx]     with a model: prints every step that differs
#include <cstdio>
#include <cstring>

#include "base/parallel.h"
#include "import/load.h"
#include "passes/pipeline.h"
#include "quant/quantize_graph.h"
#include "support/checked_kernel.h"
#include "support/isolated.h"
#include "support/models.h"

namespace intmill::test {
namespace {

constexpr int kSecondsPerModel = 600;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr double kRelative = 1e-4;
constexpr double kSteps = 1;
constexpr int64_t kArenaPercent = 115;  // of the lower bound by liveness

using Outputs = std::vector<std::vector<std::byte>>;

Result<Outputs> RunPlan(const Graph& graph, const std::vector<Tensor>& inputs, int64_t threads,
                        KernelHook hook) {
  const ThreadScope scope(threads);
  const bool hook_is_empty = !hook;
  ASSIGN_OR_RETURN(const std::shared_ptr<const Plan> plan,
                   Plan::Compile(graph, {.kernel_hook = std::move(hook)}));
  if (hook_is_empty && plan->arena_bytes() * 100 > plan->arena_lower_bound() * kArenaPercent)
    return Error(Code::kInternal, "an arena of ", plan->arena_bytes(), " bytes, ",
                 plan->arena_lower_bound(), " are alive at once");
  ASSIGN_OR_RETURN(const std::unique_ptr<RunState> state, RunState::Create(plan, false));
  std::vector<const void*> in;
  for (const Tensor& input : inputs) in.push_back(input.data<void>());
  Outputs outputs;
  std::vector<void*> out;
  for (const Value& output : plan->outputs())
    outputs.emplace_back(static_cast<size_t>(NumBytes(*output.shape, output.dtype)));
  for (auto& output : outputs) out.push_back(output.data());
  TRY(state->Run(in, out, {}));
  return outputs;
}

// What is wrong with the steps of a plan, each beside its reference; "" for nothing.
std::string WrongStep(const Checks& checks, bool verbose) {
  std::string first;
  for (const auto& step : checks.steps()) {
    const bool wrong = step->worst > (step->integers ? kSteps * step->table_steps : kRelative);
    if (verbose && (wrong || step->different > 0 || step->kernel == "reference"))
      std::printf("  %s %s (%s) by %s: worst %g, %ld of %ld differ\n", wrong ? "WRONG" : "",
                  step->layer.c_str(), step->op.c_str(), step->kernel.c_str(), step->worst,
                  static_cast<long>(step->different), static_cast<long>(step->values));
    if (wrong && first.empty())
      first = Cat("layer '", step->layer, "' (", step->op, ") by ", step->kernel,
                  " differs from its reference by ", step->worst);
  }
  return first;
}

// The first step whose bits depend on the number of threads must be one of floats, whose sums
// oneDNN orders as suits the threads. What comes after it has other inputs, and only its reference
// can judge it.
std::string WrongBits(const Checks& one, const Checks& many) {
  if (one.steps().size() != many.steps().size()) return "another number of steps";
  for (size_t i = 0; i < one.steps().size(); ++i) {
    const StepCheck& step = *many.steps()[i];
    if (step.bits == one.steps()[i]->bits) continue;
    const bool may_differ = !step.integers && step.kernel.starts_with("onednn");
    return may_differ ? "" : Cat("layer '", step.layer, "' (", step.op, ") by ", step.kernel);
  }
  return "";
}

// One plan, step by step; a summary, or what is wrong first.
Result<std::string> CheckGraph(const Graph& loaded, const std::vector<Tensor>& inputs,
                               bool verbose) {
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(input.shape());
  ASSIGN_OR_RETURN(const Graph graph, Specialize(loaded, shapes, {}));
  const bool with_references = !kSanitized || verbose;
  Checks one(with_references);
  ASSIGN_OR_RETURN(const Outputs wanted, RunPlan(graph, inputs, 1, one.Hook()));
  if (const std::string wrong = WrongStep(one, verbose); !wrong.empty())
    return Error(Code::kInternal, wrong);
  ASSIGN_OR_RETURN(const Outputs unobserved, RunPlan(graph, inputs, 1, {}));
  if (unobserved != wanted) return Error(Code::kInternal, "a second run gives other bits");
  for (const int64_t threads : {2, 4}) {
    Checks many(with_references);
    TRY(RunPlan(graph, inputs, threads, many.Hook(&one)).status());
    std::string wrong = WrongStep(many, verbose);
    if (wrong.empty()) wrong = WrongBits(one, many);
    if (!wrong.empty()) return Error(Code::kInternal, "with ", threads, " threads: ", wrong);
  }
  StepCheck total;
  int64_t references = 0;
  for (const auto& step : one.steps()) {
    references += step->kernel == "reference" ? 1 : 0;
    total.different += step->different;
    total.values += step->integers ? step->values : 0;
  }
  return Cat(one.steps().size(), " steps, ", references, " by reference, ", total.different, " of ",
             total.values, " integers one step off");
}

Result<Graph> QuantizeWith(Scheme scheme, const std::shared_ptr<const Graph>& graph,
                           const std::vector<Tensor>& inputs) {
  SchemeTable schemes;
  schemes.Add("", [scheme](LayerScheme& layer) { layer.scheme = scheme; });
  ASSIGN_OR_RETURN(const std::unique_ptr<Calibrator> calibrator,
                   Calibrator::Create(graph, schemes, {}));
  TRY(calibrator->Feed(inputs));
  return QuantizeGraph(*graph, calibrator.get(), schemes, {});
}

Result<std::string> CheckModel(const std::string& path, const Expectation& expectation,
                               bool verbose) {
  LoadOptions options;
  options.dims = expectation.dims;
  ASSIGN_OR_RETURN(Graph loaded, LoadModel(path, options));
  const auto graph = std::make_shared<const Graph>(std::move(loaded));
  ASSIGN_OR_RETURN(const std::vector<Tensor> inputs, RandomInputs(*graph, expectation));
  ASSIGN_OR_RETURN(std::string summary, CheckGraph(*graph, inputs, verbose));
  if (IsQuantized(*graph)) return summary;
  for (const Scheme scheme : {Scheme::kStatic, Scheme::kDynamicRanges}) {
    const char* name = scheme == Scheme::kStatic ? "static" : "dynamic";
    ASSIGN_OR_RETURN(const Graph quantized, QuantizeWith(scheme, graph, inputs).At(name));
    ASSIGN_OR_RETURN(const std::string more, CheckGraph(quantized, inputs, verbose).At(name));
    summary += Cat("; ", name, ": ", more);
  }
  return summary;
}

int Main(const std::string& only) {
  const std::string shared = SharedFolder();
  if (shared.empty()) {
    std::printf("skipped: no folder ../shared with real models (INTMILL_SHARED says where)\n");
    return kSkipped;
  }
  const std::vector<Expectation> expectations = ReadExpectations();
  int failures = expectations.empty() ? 1 : 0;
  for (const Expectation& expectation : expectations) {
    if (expectation.verdict != "equal" || (!only.empty() && expectation.model != only)) continue;
    if (kSanitized && expectation.large && only.empty()) continue;
    const std::string path = shared + "/models/onnx/" + expectation.model;
    const Isolated run = RunIsolated(kSecondsPerModel, [&]() -> std::string {
      const Result<std::string> summary = CheckModel(path, expectation, !only.empty());
      return summary.ok() ? "ok: " + *summary : summary.status().message();
    });
    const std::string verdict = run.finished ? run.text : run.failure;
    std::printf("%s %s: %s\n", verdict.starts_with("ok") ? "ok  " : "FAIL",
                expectation.model.c_str(), verdict.c_str());
    std::fflush(stdout);
    failures += verdict.starts_with("ok") ? 0 : 1;
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace intmill::test

int main(int argc, char** argv) { return intmill::test::Main(argc > 1 ? argv[1] : ""); }
