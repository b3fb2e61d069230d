// Prints what each algorithm that repairs quantization buys on each model, with one weight scale
// for all channels and with one for each: accuracy_algorithms [model or recipe...].
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <iterator>

#include "accuracy/tasks.h"
#include "quant/equalize.h"
#include "quant/learn_rounding.h"
#include "quant/quantize_graph.h"
#include "quant/smooth.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Recipe {
  const char* name;
  BiasCorrection bias = BiasCorrection::kData;
  WeightRange range = WeightRange::kMax;
  bool learns_rounding = false;
  bool equalizes = false;
  bool equalizes_clips = false;
  bool smooths = false;
  DType activations = DType::kU8;
};

constexpr auto kNone = BiasCorrection::kNone;
constexpr auto kNorm = BiasCorrection::kBatchNorm;
constexpr auto kMse = WeightRange::kMse;
constexpr Recipe kRecipes[] = {
    {.name = "nothing", .bias = kNone},
    {.name = "bias: batch norm", .bias = kNorm},
    {.name = "bias: data (default)"},
    {.name = "weight range: mse", .range = kMse},
    {.name = "rounding", .learns_rounding = true},
    {.name = "rounding, bias: none", .bias = kNone, .learns_rounding = true},
    {.name = "rounding, range: mse", .range = kMse, .learns_rounding = true},
    {.name = "equalize, bias: none", .bias = kNone, .equalizes = true, .equalizes_clips = true},
    {.name = "equalize unclipped", .equalizes = true},
    {.name = "equalize", .equalizes = true, .equalizes_clips = true},
    {.name = "equalize, rounding",
     .learns_rounding = true,
     .equalizes = true,
     .equalizes_clips = true},
    {.name = "smooth", .smooths = true},
    {.name = "smooth, rounding", .learns_rounding = true, .smooths = true},
    {.name = "16-bit inputs", .activations = DType::kS16},
};

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return *std::move(result);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

using GraphPtr = std::shared_ptr<const Graph>;

GraphPtr Rewritten(const Task& task, const GraphPtr& graph, const Recipe& recipe,
                   bool per_channel) {
  if (recipe.equalizes)
    return std::make_shared<const Graph>(Must(Equalize(*graph, recipe.equalizes_clips, {})).graph);
  if (!recipe.smooths) return graph;
  const auto calibrator = Calibrate(task, graph);
  const FindStatistics find = [&](std::string_view name) { return calibrator->Find(name); };
  return std::make_shared<const Graph>(Must(Smooth(*graph, find, {}, per_channel, {})).graph);
}

Graph Quantized(const Task& task, const GraphPtr& graph, const Recipe& recipe, bool per_channel) {
  SchemeTable schemes;
  schemes.Add("", [=](LayerScheme& s) {
    s.per_channel = per_channel;
    s.bias_correction = recipe.bias;
    s.weight_range = recipe.range;
    s.activation_dtype = recipe.activations;
  });
  const auto calibrator = Calibrate(task, graph);
  if (!recipe.learns_rounding) return Must(QuantizeGraph(*graph, calibrator.get(), schemes, {}));
  const auto learner = Must(RoundingLearner::Create(graph, *calibrator, schemes, {}));
  for (const Tensor& input : task.calibration.inputs) {
    const Status status = learner->Feed({&input, 1});
    if (!status.ok()) throw std::runtime_error(status.message());
  }
  return Must(learner->Quantize(*graph, schemes, {}));
}

void Print(const Task& task, const std::function<bool(const char*)>& is_wanted) {
  const GraphPtr graph = Load(task);
  const Scores reference = Run(task, graph);
  const double top1 = Top1(task, Classes(reference));
  std::printf("%s: FP32 %.2f %%\n", task.name.c_str(), top1);
  for (const bool per_channel : {false, true}) {
    for (const Recipe& recipe : kRecipes) {
      if (!is_wanted(recipe.name)) continue;
      const double start = Now();
      const GraphPtr rewritten = Rewritten(task, graph, recipe, per_channel);
      Graph quantized = Quantized(task, rewritten, recipe, per_channel);
      const double seconds = Now() - start;
      const Scores scores = Run(task, std::make_shared<const Graph>(std::move(quantized)));
      const double candidate = Top1(task, Classes(scores));
      std::printf("  %-11s  %-22s %.2f %%  drop %5.2f  agreement %6.2f %%  %5.2f dB  %6.2f s\n",
                  per_channel ? "per channel" : "per tensor", recipe.name, candidate,
                  top1 - candidate, Agreement(Classes(reference), Classes(scores)),
                  Sqnr(reference, scores), seconds);
      std::fflush(stdout);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, std::function<Task()>> tasks[] = {
      {"mobilenetv2", MobileNetV2},
      {"dwcnn", [] { return FashionOther("fashion_dwcnn_bn_fp32.onnx"); }},
      {"resnet20", ResNet20},
      {"squeezenet", SqueezeNet},
      {"vit", [] { return FashionOther("fashion_vit_fp32.onnx"); }},
      {"fashion", FashionCnn},
  };
  try {
    const auto is_named = [&](const char* name) {
      return std::any_of(argv + 1, argv + argc,
                         [&](const char* word) { return std::strcmp(word, name) == 0; });
    };
    const bool any_model = std::none_of(std::begin(tasks), std::end(tasks),
                                        [&](const auto& task) { return is_named(task.first); });
    const bool any_recipe =
        std::none_of(std::begin(kRecipes), std::end(kRecipes),
                     [&](const Recipe& recipe) { return is_named(recipe.name); });
    for (const auto& [name, make] : tasks)
      if (any_model || is_named(name))
        Print(make(), [&](const char* recipe) { return any_recipe || is_named(recipe); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy_algorithms: %s\n", error.what());
    return 1;
  }
  return 0;
}
