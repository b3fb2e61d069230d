// Real models with the data that measures them: loading, calibrating, and counting right answers.
#ifndef INTMILL_TESTS_ACCURACY_TASKS_H
#define INTMILL_TESTS_ACCURACY_TASKS_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "cli/preprocess.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/scheme.h"
#include "session/session.h"
#include "tensor/tensor.h"

namespace intmill::test {

// Samples ready for a model's one input, batch 1 each.
struct Samples {
  std::vector<Tensor> inputs;
  std::vector<int64_t> labels;
};

struct Task {
  std::string name;
  std::string model;
  Samples calibration;
  Samples test;
};

// Each task throws std::exception when its files are missing or wrong: ask HasShared first.
bool HasShared();
Task FashionCnn();
Task ResNet20();
Task MobileNetV2();
Task SqueezeNet();
// Another model on the data of one of the tasks above.
Task FashionOther(const std::string& file);
Task MobileNetOther(const std::string& file);
Task SqueezeNetOther(const std::string& file);

// Records of a label byte and 3 x 32 x 32 bytes, unpacked by the zstd program.
void ReadCifar(const std::string& path, int64_t limit, std::vector<std::vector<uint8_t>>* pictures,
               std::vector<int64_t>* labels);
Tensor Convert(cli::Converter& converter, const uint8_t* sample);

std::shared_ptr<const Graph> Load(const Task& task);
std::unique_ptr<Calibrator> Calibrate(const Task& task, std::shared_ptr<const Graph> graph);
// The scores of each test sample: the model's first output.
using Scores = std::vector<std::vector<float>>;
Scores Run(const Task& task, std::shared_ptr<const Graph> graph, SessionOptions options = {});
// The class with the highest score of each sample.
std::vector<int64_t> Classes(const Scores& scores);
// 10 log10 of signal over noise, over all samples.
double Sqnr(const Scores& reference, const Scores& candidate);
double Top1(const Task& task, const std::vector<int64_t>& predictions);          // percent
double Agreement(const std::vector<int64_t>& a, const std::vector<int64_t>& b);  // percent

}  // namespace intmill::test

#endif  // INTMILL_TESTS_ACCURACY_TASKS_H
