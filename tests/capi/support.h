// What the tests of the C ABI share: asserting answers, the sample model, and one batch for it.
#ifndef INTMILL_TESTS_CAPI_SUPPORT_H
#define INTMILL_TESTS_CAPI_SUPPORT_H

#include <criterion/criterion.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "intmill/intmill.h"

// Asserts that a call succeeds, and shows the reason when it does not.
#define MUST(call) cr_assert_eq((call), INTMILL_OK, "%s: %s", #call, intmill_last_error())

// Expects a status, and a message of one line with this part in it.
#define REFUSED(call, status, part) ExpectRefused((call), (status), (part), #call)

inline void ExpectRefused(intmill_status found, intmill_status wanted, const std::string& part,
                          const char* call) {
  const std::string message = intmill_last_error();
  cr_expect_eq(found, wanted, "%s: %s (%s)", call, intmill_status_name(found), message.c_str());
  cr_expect_neq(message.find(part), std::string::npos, "%s: message: %s", call, message.c_str());
  cr_expect_eq(message.find('\n'), std::string::npos, "%s: more than one line", call);
  cr_expect(!message.empty() && message.back() != '.', "%s: message: %s", call, message.c_str());
}

constexpr intmill_status kInvalid = INTMILL_ERROR_INVALID_ARGUMENT;
constexpr intmill_status kShape = INTMILL_ERROR_SHAPE;
constexpr intmill_status kState = INTMILL_ERROR_STATE;
constexpr intmill_status kUnsupported = INTMILL_ERROR_UNSUPPORTED;

// A handle that is given back at the end of the test.
template <typename T, void (*Release)(T*)>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* object) : object_(object) {}
  ~Owned() { Release(object_); }
  Owned(Owned&& other) noexcept : object_(other.object_) { other.object_ = nullptr; }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  operator T*() const { return object_; }  // NOLINT(google-explicit-constructor)
  T** operator&() { return &object_; }     // NOLINT(google-runtime-operator)
  T* Give() {
    T* object = object_;
    object_ = nullptr;
    return object;
  }

 private:
  T* object_ = nullptr;
};

using Options = Owned<intmill_options, intmill_options_release>;
using Tensor = Owned<intmill_tensor, intmill_tensor_release>;
using QParams = Owned<intmill_qparams, intmill_qparams_release>;
using Model = Owned<intmill_model, intmill_model_release>;
using Probe = Owned<intmill_probe, intmill_probe_release>;
using Session = Owned<intmill_session, intmill_session_release>;
using Binding = Owned<intmill_binding, intmill_binding_release>;
using Report = Owned<intmill_report, intmill_report_release>;

inline Options MakeOptions(const char* json = "{}") {
  Options opts;
  MUST(intmill_options_from_json(json, &opts));
  return opts;
}

inline Tensor MakeTensor(intmill_dtype dtype, const std::vector<int64_t>& dims) {
  Tensor t;
  MUST(intmill_tensor_create(dtype, static_cast<int64_t>(dims.size()), dims.data(), &t));
  return t;
}

inline Tensor MakeFloats(const std::vector<float>& values) {
  Tensor t = MakeTensor(INTMILL_F32, {static_cast<int64_t>(values.size())});
  std::memcpy(intmill_tensor_data(t), values.data(), values.size() * sizeof(float));
  return t;
}

inline std::vector<float> Floats(intmill_tensor* t) {
  const auto* data = static_cast<const float*>(intmill_tensor_data(t));
  return {data, data + intmill_tensor_bytes(t) / static_cast<int64_t>(sizeof(float))};
}

inline std::string Repository() {
  const char* repository = std::getenv("INTMILL_REPOSITORY");
  return repository == nullptr ? "." : repository;
}

// Fashion-MNIST pictures to ten scores; any batch.
inline Model LoadSample(const intmill_options* opts = nullptr) {
  Model m;
  MUST(intmill_model_load((Repository() + "/samples/data/fashion_cnn.onnx").c_str(), opts, &m));
  return m;
}

// Slanted waves, each picture of another length.
inline Tensor SampleBatch(int64_t rows = 4) {
  Tensor x = MakeTensor(INTMILL_F32, {rows, 1, 28, 28});
  auto* pixels = static_cast<float*>(intmill_tensor_data(x));
  for (int64_t i = 0; i < rows * 28 * 28; ++i) {
    const int64_t picture = i / 784;
    const int64_t row = i % 784 / 28;
    pixels[i] = static_cast<float>((row * (picture + 1) + i % 28 * 3) % 29) / 28.0f;
  }
  return x;
}

inline Probe Calibrate(const intmill_model* m, const intmill_options* opts = nullptr) {
  Probe probe;
  MUST(intmill_probe_calibrate(m, opts, &probe));
  const Tensor x = SampleBatch();
  intmill_tensor* const inputs[] = {x};
  MUST(intmill_probe_feed(probe, inputs, 1, nullptr, 0));
  return probe;
}

inline Model Quantize(const intmill_model* m) {
  const Probe probe = Calibrate(m);
  Model quantized;
  MUST(intmill_quantize(m, probe, nullptr, &quantized));
  return quantized;
}

inline Session Open(const intmill_model* m, const char* json = "{\"threads\": 1}") {
  const Options opts = MakeOptions(json);
  Session s;
  MUST(intmill_session_create(m, opts, &s));
  return s;
}

inline Tensor Run(const intmill_session* s, intmill_tensor* x) {
  intmill_tensor* y = nullptr;
  MUST(intmill_session_run(s, &x, 1, &y, 1));
  return Tensor(y);
}

inline int64_t Column(const intmill_report* r, const std::string& name) {
  for (int64_t i = 0; i < intmill_report_columns(r); ++i)
    if (intmill_report_column(r, i) == name) return i;
  cr_assert_fail("no column %s", name.c_str());
  return -1;
}

inline std::string Text(const intmill_report* r, int64_t row, const std::string& column) {
  return intmill_report_str(r, row, Column(r, column));
}

inline double Number(const intmill_report* r, int64_t row, const std::string& column) {
  return intmill_report_f64(r, row, Column(r, column));
}

// The row of a table of keys, or -1.
inline int64_t Row(const intmill_report* r, const std::string& key) {
  for (int64_t i = 0; i < intmill_report_rows(r); ++i)
    if (Text(r, i, "key") == key) return i;
  return -1;
}

#endif  // INTMILL_TESTS_CAPI_SUPPORT_H
