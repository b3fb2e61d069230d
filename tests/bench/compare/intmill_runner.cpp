// Models in intmill, through its C ABI like any user.
#include "bench/compare/intmill_runner.h"

namespace intmill::bench {
namespace {

constexpr uint32_t kRunSeed = 1;
constexpr uint32_t kCalibrationSeed = 1000;

Options WithThreads(int threads) {
  Options options;
  options.Set(INTMILL_OPT_THREADS, threads);
  return options;
}

class IntmillRunner : public Runner {
 public:
  IntmillRunner(const std::string& path, int threads)
      : model_(Model::Load(path)), session_(model_, WithThreads(threads)), binding_(session_) {
    inputs_ = MakeInputs(model_.Ports(INTMILL_INPUT), kRunSeed);
    for (size_t i = 0; i < inputs_.size(); ++i)
      binding_.Set(INTMILL_INPUT, static_cast<int64_t>(i), inputs_[i]);
  }

  void Run() override { binding_.Run(); }

  bool OutputsAreFinite() const override {
    const int64_t count = intmill_model_port_count(model_.get(), INTMILL_OUTPUT);
    for (int64_t i = 0; i < count; ++i) {
      const Tensor output = binding_.Get(INTMILL_OUTPUT, i);
      if (output.dtype() != INTMILL_F32) continue;
      if (!AllFinite(output.data<float>(), output.bytes() / int64_t{sizeof(float)})) return false;
    }
    return true;
  }

 private:
  Model model_;
  Session session_;
  Binding binding_;
  std::vector<Tensor> inputs_;
};

}  // namespace

std::unique_ptr<Runner> LoadIntmill(const std::string& path, int threads) {
  return std::make_unique<IntmillRunner>(path, threads);
}

Model QuantizeOnRandomInputs(const Model& model, int samples) {
  const Options options;
  Probe probe = Probe::Calibrate(model, options);
  for (int i = 0; i < samples; ++i)
    probe.Feed(MakeInputs(model.Ports(INTMILL_INPUT), kCalibrationSeed + static_cast<uint32_t>(i)));
  return Quantize(model, probe, options);
}

}  // namespace intmill::bench
