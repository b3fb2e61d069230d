// Prints what each calibration method costs on each model: accuracy_table [model...].
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>

#include "accuracy/tasks.h"
#include "quant/quantize_graph.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Method {
  const char* name;
  Calibration calibration;
  double percentile;
};

constexpr Method kMethods[] = {
    {"minmax", Calibration::kMinMax, 100},
    {"average", Calibration::kAverage, 100},
    {"percentile 99.9", Calibration::kPercentile, 99.9},
    {"percentile 99.99", Calibration::kPercentile, 99.99},
    {"percentile 99.999", Calibration::kPercentile, 99.999},
    {"entropy", Calibration::kEntropy, 100},
    {"mse", Calibration::kMse, 100},
};

void Print(const Task& task) {
  const auto graph = Load(task);
  const auto calibrator = Calibrate(task, graph);
  const Scores reference = Run(task, graph);
  const double top1 = Top1(task, Classes(reference));
  std::printf("%s: FP32 %.2f %%\n", task.name.c_str(), top1);
  for (const Method& method : kMethods) {
    SchemeTable schemes;
    schemes.Add("", [&](LayerScheme& s) {
      s.calibration = method.calibration;
      s.percentile = method.percentile;
    });
    Result<Graph> quantized = QuantizeGraph(*graph, calibrator.get(), schemes, {});
    if (!quantized.ok()) throw std::runtime_error(quantized.status().message());
    const Scores candidate = Run(task, std::make_shared<const Graph>(*std::move(quantized)));
    const double candidate_top1 = Top1(task, Classes(candidate));
    std::printf("  %-18s %.2f %%  drop %5.2f  agreement %.2f %%  %.2f dB\n", method.name,
                candidate_top1, top1 - candidate_top1,
                Agreement(Classes(reference), Classes(candidate)), Sqnr(reference, candidate));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::pair<const char*, std::function<Task()>> tasks[] = {
      {"fashion", FashionCnn},
      {"resnet20", ResNet20},
      {"mobilenetv2", MobileNetV2},
      {"squeezenet", SqueezeNet},
      {"dwcnn", [] { return FashionOther("fashion_dwcnn_bn_fp32.onnx"); }},
      {"vit", [] { return FashionOther("fashion_vit_fp32.onnx"); }},
  };
  try {
    for (const auto& [name, make] : tasks) {
      bool wanted = argc < 2;
      for (int i = 1; i < argc; ++i) wanted |= std::strcmp(argv[i], name) == 0;
      if (wanted) Print(make());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "accuracy_table: %s\n", error.what());
    return 1;
  }
  return 0;
}
