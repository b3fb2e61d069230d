// The accuracy that default settings must reach on real models, each against its float original.
#include <algorithm>
#include <criterion/criterion.h>
#include <cstdio>
#include <memory>

#include "accuracy/tasks.h"
#include "quant/quantize_graph.h"

using namespace intmill;
using namespace intmill::test;

namespace {

struct Outcome {
  double reference = 0;  // top-1 in percent
  double candidate = 0;
  double agreement = 0;
};

Outcome QuantizeAndCompare(const Task& task) {
  const auto graph = Load(task);
  const auto calibrator = Calibrate(task, graph);
  Result<Graph> quantized = QuantizeGraph(*graph, calibrator.get(), {}, {});
  cr_assert(quantized.ok(), "%s", quantized.status().message().c_str());
  const auto reference = Classes(Run(task, graph));
  const auto candidate = Classes(Run(task, std::make_shared<const Graph>(*std::move(quantized))));
  const Outcome outcome = {Top1(task, reference), Top1(task, candidate),
                           Agreement(reference, candidate)};
  std::printf("%s: FP32 %.2f %%, INT8 %.2f %%, agreement %.2f %%\n", task.name.c_str(),
              outcome.reference, outcome.candidate, outcome.agreement);
  return outcome;
}

void SkipWithoutShared() {
  if (!HasShared()) cr_skip_test("the folder 'shared' with models and data is missing");
}

constexpr double kRounding = 0.005;  // the figures have two decimals

}  // namespace

Test(accuracy, fashion_cnn_drops_at_most_0_15_points) {
  SkipWithoutShared();
  const Outcome outcome = QuantizeAndCompare(FashionCnn());
  cr_assert_float_eq(outcome.reference, 91.57, kRounding);
  cr_assert_leq(outcome.reference - outcome.candidate, 0.15 + kRounding);
}

Test(accuracy, resnet20_drops_at_most_0_3_points) {
  SkipWithoutShared();
  const Outcome outcome = QuantizeAndCompare(ResNet20());
  cr_assert_float_eq(outcome.reference, 81.02, kRounding);
  cr_assert_leq(outcome.reference - outcome.candidate, 0.3 + kRounding);
}

Test(accuracy, mobilenetv2_drops_at_most_1_67_points) {
  SkipWithoutShared();
  const Outcome outcome = QuantizeAndCompare(MobileNetV2());
  cr_assert_float_eq(outcome.reference, 89.33, kRounding);
  cr_assert_leq(outcome.reference - outcome.candidate, 1.67 + kRounding);
  cr_assert_geq(outcome.agreement, 96.7 - 0.05);  // 290 of 300 are 96.67 %
}

Test(accuracy, squeezenet_drops_at_most_0_33_points) {
  SkipWithoutShared();
  const Outcome outcome = QuantizeAndCompare(SqueezeNet());
  cr_assert_float_eq(outcome.reference, 62.00, kRounding);
  cr_assert_leq(outcome.reference - outcome.candidate, 0.33 + kRounding);
  cr_assert_geq(outcome.agreement, 93.0 - 0.05);
}
