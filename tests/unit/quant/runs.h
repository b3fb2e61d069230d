// Running small graphs on random data, calibrating and quantizing them: for tests of what improves
// quantization.
#ifndef INTMILL_TESTS_UNIT_QUANT_RUNS_H
#define INTMILL_TESTS_UNIT_QUANT_RUNS_H

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "quant/calibrate.h"
#include "quant/quantize_graph.h"
#include "unit/quant/graphs.h"

namespace intmill::test {

inline Tensor Filled(Shape shape, const std::vector<float>& values) {
  Tensor tensor = *Tensor::Make(DType::kF32, std::move(shape));
  cr_assert_eq(tensor.elements(), static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), tensor.mutable_data<float>());
  return tensor;
}

inline Tensor NormalTensor(Shape shape, unsigned seed, float sigma = 1.0f) {
  const int64_t n = NumElements(shape);
  return Filled(std::move(shape), Normal(static_cast<int>(n), seed, sigma));
}

template <typename T>
T Must(Result<T> result) {
  cr_assert(result.ok(), "%s", result.status().message().c_str());
  return *std::move(result);
}

inline std::vector<float> RunGraph(const Graph& graph, const Tensor& x) {
  const auto session = Must(Session::Create(std::make_shared<const Graph>(graph), {.threads = 1}));
  std::vector<Tensor> outputs(1);
  const Status status = session->Run({&x, 1}, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return Must(ToFloats(outputs[0]));
}

inline std::unique_ptr<Calibrator> CalibrateOn(const Graph& graph, const Tensor& x) {
  auto calibrator = Must(Calibrator::Create(std::make_shared<const Graph>(graph), {}, {}));
  const Status status = calibrator->Feed({&x, 1});
  cr_assert(status.ok(), "%s", status.message().c_str());
  return calibrator;
}

inline Graph QuantizeOn(const Graph& graph, const Tensor& x, const SchemeTable& schemes) {
  return Must(QuantizeGraph(graph, CalibrateOn(graph, x).get(), schemes, {}));
}

inline SchemeTable PerTensor() {
  SchemeTable schemes;
  schemes.Add("", [](LayerScheme& s) { s.per_channel = false; });
  return schemes;
}

inline double SqnrDb(const std::vector<float>& reference, const std::vector<float>& found) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    const double a = static_cast<double>(reference[i]);
    const double d = a - static_cast<double>(found[i]);
    signal += a * a;
    noise += d * d;
  }
  return 10 * std::log10(signal / noise);
}

// Scaling by numbers that are no powers of two rounds weights once more: 2^-24 of each summand.
inline void ExpectSameFunction(const Graph& a, const Graph& b, const Tensor& x) {
  const double db = SqnrDb(RunGraph(a, x), RunGraph(b, x));
  cr_expect_gt(db, 110, "found %g dB", db);
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_QUANT_RUNS_H
