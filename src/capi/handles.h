// What the opaque types of the C header are, and how a released one is recognized.
#ifndef INTMILL_CAPI_HANDLES_H
#define INTMILL_CAPI_HANDLES_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/table.h"
#include "capi/option_bag.h"
#include "intmill/intmill.h"
#include "tensor/tensor.h"

namespace intmill {
class Binding;
class Calibrator;
class CertificateReplay;
class Certifier;
class Graph;
class RoundingLearner;
class Sensitivity;
class Session;
class Verifier;
struct CompiledSession;
}  // namespace intmill

namespace intmill::capi {

// Set while the object lives. Atomic, so that clearing it just before the memory goes back is not
// optimized away: a handle used after release then answers an error in most cases.
class Magic {
 public:
  explicit Magic(uint32_t value) : value_(value) {}
  ~Magic() { Clear(); }
  Magic(const Magic&) = delete;
  Magic& operator=(const Magic&) = delete;
  bool Is(uint32_t wanted) const { return value_.load(std::memory_order_relaxed) == wanted; }
  void Clear() { value_.store(0, std::memory_order_relaxed); }

 private:
  std::atomic<uint32_t> value_;
};

}  // namespace intmill::capi

struct intmill_options {
  static constexpr uint32_t kMagic = 0x696d6f70;
  static constexpr const char* kWhat = "options";
  intmill::capi::Magic magic{kMagic};
  intmill::capi::OptionBag bag;
  mutable std::string json;
};

struct intmill_qparams {
  static constexpr uint32_t kMagic = 0x696d7170;
  static constexpr const char* kWhat = "quantization parameters";
  intmill::capi::Magic magic{kMagic};
  intmill::QParamsPtr value;
  bool part_of_tensor = false;  // then releasing it is the tensor's business
};

struct intmill_tensor {
  static constexpr uint32_t kMagic = 0x696d7465;
  static constexpr const char* kWhat = "a tensor";
  intmill::capi::Magic magic{kMagic};
  intmill::Tensor value;
  intmill_qparams qparams;  // its value is null when the tensor is not quantized

  void Set(intmill::Tensor t) {
    value = std::move(t);
    qparams.value = value.qparams();
    qparams.part_of_tensor = true;
  }
};

struct intmill_model {
  static constexpr uint32_t kMagic = 0x696d6d6f;
  static constexpr const char* kWhat = "a model";
  intmill::capi::Magic magic{kMagic};
  std::shared_ptr<const intmill::Graph> graph;
  // The graph that this one differs from in its metadata only, so that a calibration of one serves
  // the other.
  std::shared_ptr<const intmill::Graph> origin;
  // Of a compiled session's file: what sessions of the model follow, and the check to be made
  // before anything else reads weights.
  std::shared_ptr<const intmill::CompiledSession> compiled;
  std::function<intmill::Status()> check_weights;
};

struct intmill_probe {
  static constexpr uint32_t kMagic = 0x696d7072;
  static constexpr const char* kWhat = "a probe";
  intmill::capi::Magic magic{kMagic};
  std::shared_ptr<const intmill::Graph> origin;  // what a calibration is of
  std::atomic<bool> was_fed = false;
  // One of them.
  std::unique_ptr<intmill::Calibrator> calibrator;
  std::unique_ptr<intmill::Verifier> verifier;
  std::unique_ptr<intmill::Sensitivity> sensitivity;
  std::unique_ptr<intmill::Certifier> certifier;
  std::unique_ptr<intmill::CertificateReplay> replay;
  std::unique_ptr<intmill::RoundingLearner> rounding;
  intmill_probe();
  ~intmill_probe();
};

struct intmill_session {
  static constexpr uint32_t kMagic = 0x696d7365;
  static constexpr const char* kWhat = "a session";
  intmill::capi::Magic magic{kMagic};
  std::shared_ptr<const intmill::Session> session;
};

struct intmill_binding {
  static constexpr uint32_t kMagic = 0x696d6269;
  static constexpr const char* kWhat = "a binding";
  intmill::capi::Magic magic{kMagic};
  std::unique_ptr<intmill::Binding> binding;
  ~intmill_binding();
};

// Never changes once made: the texts exist from the start, so that any thread may read them.
struct intmill_report {
  static constexpr uint32_t kMagic = 0x696d7265;
  static constexpr const char* kWhat = "a report";
  intmill::capi::Magic magic{kMagic};
  intmill::Table table;
  std::vector<std::vector<std::string>> texts;
  std::string json;
};

namespace intmill::capi {

template <typename T>
bool Alive(const T* handle) {
  return handle != nullptr && handle->magic.Is(T::kMagic);
}

template <typename T>
Status CheckHandle(const T* handle, std::string_view name) {
  if (handle == nullptr) return Error(Code::kInvalidArgument, name, " is NULL");
  if (!handle->magic.Is(T::kMagic))
    return Error(Code::kInvalidArgument, name, " is not ", T::kWhat, ", or was released");
  return Ok();
}

// A model whose weights will be read.
Status CheckModel(const intmill_model* m, std::string_view name);

// NULL options are an empty bag.
inline Status CheckOptions(const intmill_options* opts) {
  return opts == nullptr ? Ok() : CheckHandle(opts, "opts");
}
const OptionBag& BagOf(const intmill_options* opts);

template <typename T>
void Release(T* handle) {
  if (Alive(handle)) std::unique_ptr<T>(handle).reset();
}

// Of the library, "0.1.0".
std::string VersionText();

Result<std::unique_ptr<intmill_tensor>> WrapTensor(Result<Tensor> t);
Result<std::unique_ptr<intmill_report>> WrapReport(Result<Table> table);

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_HANDLES_H
