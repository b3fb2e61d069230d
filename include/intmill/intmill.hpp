// intmill.hpp: RAII over intmill.h for C++17: handles that release themselves, errors that throw.
//
// Nothing here is part of the ABI: it is compiled into your program. Each class holds one reference
// and is moved, not copied. get() lends the C handle for anything not wrapped here.
#ifndef INTMILL_INTMILL_HPP
#define INTMILL_INTMILL_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "intmill/intmill.h"

namespace intmill {

// A call that failed; what() is intmill_last_error().
class Error : public std::runtime_error {
 public:
  Error(intmill_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  intmill_status status() const { return status_; }

 private:
  intmill_status status_;
};

inline void Check(intmill_status status) {
  if (status != INTMILL_OK) throw Error(status, intmill_last_error());
}

// One reference to a C object.
template <typename T, void (*Release)(T*)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(T* adopted) : object_(adopted) {}
  Handle(Handle&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { Release(object_); }

  T* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  // For a parameter named `out`: gives up what it holds and waits for the next.
  T** Out() {
    Release(std::exchange(object_, nullptr));
    return &object_;
  }

 private:
  T* object_ = nullptr;
};

class Report : public Handle<intmill_report, intmill_report_release> {
 public:
  using Handle::Handle;
  int64_t rows() const { return intmill_report_rows(get()); }
  // -1: no such column.
  int64_t Column(std::string_view name) const {
    for (int64_t i = 0; i < intmill_report_columns(get()); ++i) {
      if (name == intmill_report_column(get(), i)) return i;
    }
    return -1;
  }
  double Number(int64_t row, std::string_view column) const {
    return intmill_report_f64(get(), row, Column(column));
  }
  std::string Text(int64_t row, std::string_view column) const {
    return intmill_report_str(get(), row, Column(column));
  }
  // Of a table of keys and values; -1: no such key.
  int64_t Row(std::string_view key) const {
    for (int64_t i = 0; i < rows(); ++i) {
      if (key == intmill_report_str(get(), i, 0)) return i;
    }
    return -1;
  }
  std::string Json() const { return intmill_report_json(get()); }
};

// Hooks given to an Options must not throw, and live in it: let it outlive what is made with it.
class Options : public Handle<intmill_options, intmill_options_release> {
 public:
  using LogHook = std::function<void(int32_t level, const char* message)>;
  using ProgressHook = std::function<bool(const intmill_progress&)>;  // false: stop

  Options() { Check(intmill_options_create(Out())); }
  explicit Options(intmill_options* adopted) : Handle(adopted) {}
  static Options FromJson(const std::string& json) {
    intmill_options* out = nullptr;
    Check(intmill_options_from_json(json.c_str(), &out));
    return Options(out);
  }

  std::string Json() const { return intmill_options_json(get()); }

  Options& Set(intmill_opt key, int64_t value, const char* layer = nullptr) {
    Check(intmill_options_set_i64(get(), layer, key, value));
    return *this;
  }
  Options& Set(intmill_opt key, const std::string& value, const char* layer = nullptr) {
    Check(intmill_options_set_str(get(), layer, key, value.c_str()));
    return *this;
  }
  Options& SetNumber(intmill_opt key, double value, const char* layer = nullptr) {
    Check(intmill_options_set_f64(get(), layer, key, value));
    return *this;
  }
  Options& OnLog(LogHook hook) {
    log_ = std::make_unique<LogHook>(std::move(hook));
    Check(intmill_options_on_log(
        get(),
        [](void* user, int32_t level, const char* message) {
          (*static_cast<LogHook*>(user))(level, message);
        },
        log_.get()));
    return *this;
  }
  Options& OnProgress(ProgressHook hook) {
    progress_ = std::make_unique<ProgressHook>(std::move(hook));
    Check(intmill_options_on_progress(
        get(),
        [](void* user, const intmill_progress* now) -> int32_t {
          return (*static_cast<ProgressHook*>(user))(*now) ? 0 : 1;
        },
        progress_.get()));
    return *this;
  }

 private:
  std::unique_ptr<LogHook> log_;
  std::unique_ptr<ProgressHook> progress_;
};

class Tensor : public Handle<intmill_tensor, intmill_tensor_release> {
 public:
  using Handle::Handle;
  Tensor(intmill_dtype dtype, const std::vector<int64_t>& dims) {
    const auto rank = static_cast<int64_t>(dims.size());
    Check(intmill_tensor_create(dtype, rank, dims.data(), Out()));
  }
  // Borrows data, which must outlive the tensor and whatever holds it.
  static Tensor Wrap(intmill_dtype dtype, const std::vector<int64_t>& dims, void* data,
                     int64_t bytes) {
    Tensor t;
    const auto rank = static_cast<int64_t>(dims.size());
    Check(intmill_tensor_wrap(dtype, rank, dims.data(), data, bytes, nullptr, nullptr, t.Out()));
    return t;
  }

  intmill_dtype dtype() const { return intmill_tensor_dtype(get()); }
  int64_t bytes() const { return intmill_tensor_bytes(get()); }
  std::vector<int64_t> dims() const {
    const int64_t* first = intmill_tensor_dims(get());
    return first == nullptr ? std::vector<int64_t>()
                            : std::vector<int64_t>(first, first + intmill_tensor_rank(get()));
  }
  // The caller knows the element type.
  template <typename T>
  T* data() const {
    return static_cast<T*>(intmill_tensor_data(get()));
  }
};

struct Port {
  std::string name;
  intmill_dtype dtype;
  int64_t rank;               // -1: decided when the model runs, dims is empty then
  std::vector<int64_t> dims;  // -1: decided when the model runs
};

class Model : public Handle<intmill_model, intmill_model_release> {
 public:
  using Handle::Handle;
  static Model Load(const std::string& path, const Options* options = nullptr) {
    Model model;
    Check(intmill_model_load(path.c_str(), options ? options->get() : nullptr, model.Out()));
    return model;
  }
  void Save(const std::string& path, const Options* options = nullptr) const {
    Check(intmill_model_save(get(), path.c_str(), options ? options->get() : nullptr));
  }
  std::vector<Port> Ports(intmill_side side) const {
    std::vector<Port> ports;
    for (int64_t i = 0; i < intmill_model_port_count(get(), side); ++i) {
      intmill_port port = INTMILL_PORT_INIT;
      Check(intmill_model_port(get(), side, i, &port));
      std::vector<int64_t> dims;
      if (port.rank > 0) dims.assign(port.dims, port.dims + port.rank);
      ports.push_back({port.name, port.dtype, port.rank, std::move(dims)});
    }
    return ports;
  }
  intmill::Report Report(intmill_report_kind kind) const {
    intmill::Report report;
    Check(intmill_model_report(get(), kind, report.Out()));
    return report;
  }
  Model Annotate(const std::string& key, const std::string& value) const {
    Model model;
    Check(intmill_model_annotate(get(), key.c_str(), value.c_str(), model.Out()));
    return model;
  }
};

// The C handles of some tensors, for the calls that take several.
inline std::vector<intmill_tensor*> Pointers(const std::vector<Tensor>& tensors) {
  std::vector<intmill_tensor*> pointers;
  for (const Tensor& t : tensors) pointers.push_back(t.get());
  return pointers;
}

class Probe : public Handle<intmill_probe, intmill_probe_release> {
 public:
  using Handle::Handle;
  static Probe Calibrate(const Model& model, const Options& options) {
    Probe probe;
    Check(intmill_probe_calibrate(model.get(), options.get(), probe.Out()));
    return probe;
  }
  static Probe Verify(const Model& reference, const Model& candidate, const Options& options) {
    Probe probe;
    Check(intmill_probe_verify(reference.get(), candidate.get(), options.get(), probe.Out()));
    return probe;
  }
  static Probe Certify(const Model& reference, const Model& candidate, const Options& options) {
    Probe probe;
    Check(intmill_probe_certify(reference.get(), candidate.get(), options.get(), probe.Out()));
    return probe;
  }
  static Probe Replay(const Model& model, const Options& options) {
    Probe probe;
    Check(intmill_probe_replay(model.get(), options.get(), probe.Out()));
    return probe;
  }
  // calibration may be an empty Probe when no layer is static.
  static Probe Sensitivity(const Model& model, const Probe& calibration, const Options& options) {
    Probe probe;
    Check(intmill_probe_sensitivity(model.get(), calibration.get(), options.get(), probe.Out()));
    return probe;
  }
  // Learns how to round weights; for Quantize, in place of the calibration.
  static Probe Rounding(const Model& model, const Probe& calibration, const Options& options) {
    Probe probe;
    Check(intmill_probe_rounding(model.get(), calibration.get(), options.get(), probe.Out()));
    return probe;
  }
  static Probe Load(const std::string& path, const Options* options = nullptr) {
    Probe probe;
    Check(intmill_probe_load(path.c_str(), options ? options->get() : nullptr, probe.Out()));
    return probe;
  }
  void Save(const std::string& path, const Options* options = nullptr) const {
    Check(intmill_probe_save(get(), path.c_str(), options ? options->get() : nullptr));
  }
  void Merge(const Probe& other) { Check(intmill_probe_merge(get(), other.get())); }
  void Feed(const std::vector<Tensor>& inputs, const std::vector<Tensor>& targets = {}) {
    const auto in = Pointers(inputs);
    const auto wanted = Pointers(targets);
    Check(intmill_probe_feed(get(), in.data(), static_cast<int64_t>(in.size()), wanted.data(),
                             static_cast<int64_t>(wanted.size())));
  }
  intmill::Report Report(intmill_report_kind kind) const {
    intmill::Report report;
    Check(intmill_probe_report(get(), kind, report.Out()));
    return report;
  }
};

// calibration may be an empty Probe when no layer is static.
inline Model Quantize(const Model& model, const Probe& calibration, const Options& options) {
  Model quantized;
  Check(intmill_quantize(model.get(), calibration.get(), options.get(), quantized.Out()));
  return quantized;
}

// A precision for each layer; noise and cost have one row of `precisions` numbers a layer.
inline std::vector<int64_t> PlanPrecisions(int64_t precisions, const std::vector<double>& noise,
                                           const std::vector<double>& cost, double max_noise) {
  std::vector<int64_t> chosen(noise.size() / static_cast<size_t>(precisions));
  Check(intmill_plan_precisions(static_cast<int64_t>(chosen.size()), precisions, noise.data(),
                                cost.data(), max_noise, chosen.data()));
  return chosen;
}

// The model with what a certifying probe found.
inline Model Certify(const Model& model, const Probe& certifying) {
  Model certified;
  Check(intmill_model_certify(model.get(), certifying.get(), certified.Out()));
  return certified;
}

// Equal float models that lose less when they are quantized; to be calibrated afterwards.
inline Model Equalize(const Model& model, const Options& options) {
  Model equalized;
  Check(intmill_equalize(model.get(), options.get(), equalized.Out()));
  return equalized;
}
inline Model Smooth(const Model& model, const Probe& calibration, const Options& options) {
  Model smoothed;
  Check(intmill_smooth(model.get(), calibration.get(), options.get(), smoothed.Out()));
  return smoothed;
}

class Session : public Handle<intmill_session, intmill_session_release> {
 public:
  using Handle::Handle;
  Session(const Model& model, const Options& options) {
    Check(intmill_session_create(model.get(), options.get(), Out()));
    outputs_ = intmill_model_port_count(model.get(), INTMILL_OUTPUT);
  }
  std::vector<Tensor> Run(const std::vector<Tensor>& inputs) const {
    const auto in = Pointers(inputs);
    std::vector<intmill_tensor*> out(static_cast<size_t>(outputs_), nullptr);
    Check(intmill_session_run(get(), in.data(), static_cast<int64_t>(in.size()), out.data(),
                              outputs_));
    std::vector<Tensor> outputs;
    for (intmill_tensor* t : out) outputs.emplace_back(t);
    return outputs;
  }
  intmill::Report Report(intmill_report_kind kind) const {
    intmill::Report report;
    Check(intmill_session_report(get(), kind, report.Out()));
    return report;
  }
  // As an .ims file, from which Model::Load and a session of the model are many times faster.
  void Save(const std::string& path) const { Check(intmill_session_save(get(), path.c_str())); }

 private:
  int64_t outputs_ = 0;
};

class Binding : public Handle<intmill_binding, intmill_binding_release> {
 public:
  explicit Binding(const Session& session) { Check(intmill_binding_create(session.get(), Out())); }
  void Set(intmill_side side, int64_t index, const Tensor& t) {
    Check(intmill_binding_set(get(), side, index, t.get()));
  }
  Tensor Get(intmill_side side, int64_t index) const {
    Tensor t;
    Check(intmill_binding_get(get(), side, index, t.Out()));
    return t;
  }
  void Run() { Check(intmill_binding_run(get())); }
};

}  // namespace intmill

#endif  // INTMILL_INTMILL_HPP
