// The four tasks, and what is done with each.
#include "accuracy/tasks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "cli/dataset.h"
#include "import/load.h"
#include "support/shared_data.h"

namespace intmill::test {
namespace {

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) throw std::runtime_error(result.status().message());
  return *std::move(result);
}

cli::Normalization UnitScale() {
  cli::Normalization normalization;
  normalization.scale = {1.0 / 255};
  return normalization;
}

cli::Normalization ImageNetMeans() {
  cli::Normalization normalization = UnitScale();
  normalization.mean = {.485, .456, .406};
  normalization.deviation = {.229, .224, .225};
  return normalization;
}

cli::Normalization MinusOneToOne() {
  cli::Normalization normalization;
  normalization.scale = {1.0 / 127.5};
  normalization.mean = {1.0};
  return normalization;
}

std::string Data(const std::string& file) { return SharedFolder() + "/data/" + file; }

std::vector<int64_t> ReadLabels(const std::string& path) {
  const cli::DatasetPtr data = cli::OpenDataset(path, "", 0);
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < data->count(); ++i) {
    alignas(8) std::byte bytes[8] = {};
    data->Read(i, bytes);
    int64_t label = 0;
    std::memcpy(&label, bytes, 8);  // little endian, so a single byte reads as itself
    labels.push_back(label);
  }
  return labels;
}

// Every `step`-th of the first `limit` samples.
Samples Read(const std::string& pictures, const std::string& labels, int64_t limit, int64_t step,
             const cli::Dims& dims, const cli::Normalization& normalization) {
  const cli::DatasetPtr data = cli::OpenDataset(pictures, "", 0);
  const std::vector<int64_t> all_labels = ReadLabels(labels);
  cli::Converter converter(data->sample(), data->layout(), {INTMILL_F32, dims}, normalization);
  std::vector<uint8_t> sample(static_cast<size_t>(cli::ByteCount(data->sample())));
  Samples samples;
  for (int64_t i = 0; i < std::min(limit, data->count()); i += step) {
    data->Read(i, reinterpret_cast<std::byte*>(sample.data()));
    samples.inputs.push_back(Convert(converter, sample.data()));
    samples.labels.push_back(all_labels.at(static_cast<size_t>(i)));
  }
  return samples;
}

Samples Cifar(const std::string& file, int64_t limit) {
  std::vector<std::vector<uint8_t>> pictures;
  Samples samples;
  ReadCifar(Data("cifar10/" + file), limit, &pictures, &samples.labels);
  cli::Converter converter({INTMILL_U8, {3, 32, 32}}, cli::Layout::kNchw,
                           {INTMILL_F32, {3, 32, 32}}, ImageNetMeans());
  for (const auto& picture : pictures) samples.inputs.push_back(Convert(converter, picture.data()));
  return samples;
}

std::string Model(const std::string& file) { return SharedFolder() + "/models/onnx/" + file; }

Task ImageNet(const std::string& file, const std::string& labels,
              const cli::Normalization& normalization) {
  const std::string pictures = Data("imagenet/images");
  const std::string label_file = Data("imagenet/" + labels);
  const cli::Dims dims = {3, 224, 224};
  return {file, Model(file), Read(pictures, label_file, 300, 6, dims, normalization),
          Read(pictures, label_file, 300, 1, dims, normalization)};
}

}  // namespace

bool HasShared() { return !SharedFolder().empty(); }

Task FashionOther(const std::string& file) {
  const std::string folder = "fashion-mnist/";
  const cli::Dims dims = {1, 28, 28};
  return {file, Model(file),
          Read(Data(folder + "calib2048-images-idx3-ubyte.gz"),
               Data(folder + "calib2048-labels-idx1-ubyte.gz"), 256, 1, dims, UnitScale()),
          Read(Data(folder + "t10k-images-idx3-ubyte.gz"),
               Data(folder + "t10k-labels-idx1-ubyte.gz"), 10000, 1, dims, UnitScale())};
}

Task MobileNetOther(const std::string& file) {
  return ImageNet(file, "labels_1001.npy", MinusOneToOne());
}
Task SqueezeNetOther(const std::string& file) {
  return ImageNet(file, "labels.npy", ImageNetMeans());
}

Task FashionCnn() { return FashionOther("fashion_cnn.onnx"); }
Task MobileNetV2() { return MobileNetOther("mobilenetv2_1.0_tf_fp32.onnx"); }
Task SqueezeNet() { return SqueezeNetOther("squeezenet1.1_fp32.onnx"); }
Task ResNet20() {
  const std::string file = "resnet20_cifar10_fp32.onnx";
  return {file, Model(file), Cifar("cifar10_jpeg_train512.bin.zst", 256),
          Cifar("cifar10_jpeg_test_dev5000.bin.zst", 5000)};
}

Tensor Convert(cli::Converter& converter, const uint8_t* sample) {
  Shape shape = {1};
  shape.insert(shape.end(), converter.result().dims.begin(), converter.result().dims.end());
  Tensor tensor = Must(Tensor::Make(DType::kF32, shape));
  converter.Convert(reinterpret_cast<const std::byte*>(sample), tensor.mutable_data<std::byte>());
  return tensor;
}

std::shared_ptr<const Graph> Load(const Task& task) {
  return std::make_shared<const Graph>(Must(LoadModel(task.model, {})));
}

std::unique_ptr<Calibrator> Calibrate(const Task& task, std::shared_ptr<const Graph> graph) {
  auto calibrator = Must(Calibrator::Create(std::move(graph), {}, {.threads = 1}));
  for (const Tensor& input : task.calibration.inputs) {
    const Status status = calibrator->Feed({&input, 1});
    if (!status.ok()) throw std::runtime_error(status.message());
  }
  return calibrator;
}

Scores Run(const Task& task, std::shared_ptr<const Graph> graph, SessionOptions options) {
  options.threads = 1;  // small layers: more threads would wait for each other
  const auto session = Must(Session::Create(std::move(graph), std::move(options)));
  Scores scores;
  std::vector<Tensor> outputs(session->graph().outputs.size());
  for (const Tensor& input : task.test.inputs) {
    const Status status = session->Run({&input, 1}, outputs);
    if (!status.ok()) throw std::runtime_error(status.message());
    scores.push_back(Must(ToFloats(outputs[0])));
  }
  return scores;
}

std::vector<int64_t> Classes(const Scores& scores) {
  std::vector<int64_t> classes;
  for (const auto& row : scores)
    classes.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  return classes;
}

double Sqnr(const Scores& reference, const Scores& candidate) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    for (size_t k = 0; k < reference[i].size(); ++k) {
      const double a = static_cast<double>(reference[i][k]);
      const double d = a - static_cast<double>(candidate[i][k]);
      signal += a * a;
      noise += d * d;
    }
  }
  return 10 * std::log10(signal / noise);
}

double Top1(const Task& task, const std::vector<int64_t>& predictions) {
  return Agreement(task.test.labels, predictions);
}

double Agreement(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  int64_t equal = 0;
  for (size_t i = 0; i < a.size(); ++i) equal += a[i] == b.at(i) ? 1 : 0;
  return 100.0 * static_cast<double>(equal) / static_cast<double>(a.size());
}

}  // namespace intmill::test
