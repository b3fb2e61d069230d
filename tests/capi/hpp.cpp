// Tests of intmill.hpp, the C++ face of the C ABI.
#include <criterion/criterion.h>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "intmill/intmill.hpp"

namespace {

using intmill::Binding;
using intmill::Model;
using intmill::Options;
using intmill::Probe;
using intmill::Report;
using intmill::Session;
using intmill::Tensor;

Model LoadSample() {
  const char* repository = std::getenv("INTMILL_REPOSITORY");
  return Model::Load(std::string(repository == nullptr ? "." : repository) +
                     "/samples/data/fashion_cnn.onnx");
}

std::vector<Tensor> Batch(int64_t rows) {
  std::vector<Tensor> inputs;
  inputs.emplace_back(INTMILL_F32, std::vector<int64_t>{rows, 1, 28, 28});
  for (int64_t i = 0; i < rows * 784; ++i)
    inputs[0].data<float>()[i] = static_cast<float>(i % 37) / 36;
  return inputs;
}

template <typename Call>
intmill_status StatusOf(Call&& call, std::string* message = nullptr) {
  try {
    call();
  } catch (const intmill::Error& error) {
    if (message != nullptr) *message = error.what();
    return error.status();
  }
  return INTMILL_OK;
}

}  // namespace

Test(hpp, a_failing_call_throws_its_status_and_reason) {
  std::string message;
  cr_expect_eq(StatusOf([] { Model::Load("/no/such.onnx"); }, &message), INTMILL_ERROR_IO);
  cr_expect_neq(message.find("/no/such.onnx"), std::string::npos, "%s", message.c_str());
}

Test(hpp, handles_move_and_give_back_once) {
  Tensor a(INTMILL_F32, {2});
  intmill_tensor* const handle = a.get();
  Tensor b(std::move(a));
  cr_expect_eq(b.get(), handle);
  cr_expect_not(a);
  a = std::move(b);
  cr_expect_eq(a.get(), handle);
}

Test(hpp, out_gives_up_what_it_held) {
  Tensor t(INTMILL_F32, {2});
  const int64_t dims[] = {3};
  intmill::Check(intmill_tensor_create(INTMILL_U8, 1, dims, t.Out()));
  cr_expect_eq(t.bytes(), 3);
}

Test(hpp, options_chain) {
  Options options;
  options.Set(INTMILL_OPT_THREADS, int64_t{2})
      .Set(INTMILL_OPT_CALIBRATION, std::string("mse"))
      .SetNumber(INTMILL_OPT_PERCENTILE, 99.5)
      .Set(INTMILL_OPT_SKIP, int64_t{1}, "fc*");
  cr_expect_str_eq(intmill_options_json(options.get()),
                   "{\"threads\": 2, \"calibration\": \"mse\", \"percentile\": 99.5, "
                   "\"layers\": {\"fc*\": {\"skip\": 1}}}");
}

Test(hpp, ports_have_names_types_and_sizes) {
  const auto ports = LoadSample().Ports(INTMILL_INPUT);
  cr_assert_eq(ports.size(), 1u);
  cr_expect_eq(ports[0].name, "image");
  cr_expect_eq(ports[0].rank, 4);
  cr_expect(ports[0].dims == std::vector<int64_t>({-1, 1, 28, 28}));
}

Test(hpp, the_way_from_float_to_eight_bits) {
  const Model model = LoadSample();
  Options options;
  options.Set(INTMILL_OPT_THREADS, int64_t{1});
  Probe calibration = Probe::Calibrate(model, options);
  calibration.Feed(Batch(4));
  const Model quantized = intmill::Quantize(model, calibration, options);
  Probe verification = Probe::Verify(model, quantized, options);
  verification.Feed(Batch(8));
  const Report summary = verification.Report(INTMILL_REPORT_SUMMARY);
  cr_expect_eq(summary.Number(summary.Row("samples"), "value"), 8);
  cr_expect_eq(summary.Row("no such key"), -1);
  const Session session(quantized, options);
  const std::vector<Tensor> outputs = session.Run(Batch(2));
  cr_expect(outputs[0].dims() == std::vector<int64_t>({2, 10}));
}

Test(hpp, a_binding_runs_in_place) {
  const Session session(LoadSample(), Options());
  Binding binding(session);
  const std::vector<Tensor> inputs = Batch(3);
  binding.Set(INTMILL_INPUT, 0, inputs[0]);
  binding.Run();
  cr_expect_eq(binding.Get(INTMILL_OUTPUT, 0).dims()[0], 3);
}

Test(hpp, a_session_tells_its_profile) {
  Options options;
  options.Set(INTMILL_OPT_PROFILE, int64_t{1});
  const Session session(LoadSample(), options);
  session.Run(Batch(1));
  const Report profile = session.Report(INTMILL_REPORT_PROFILE);
  double multiply_adds = 0;
  for (int64_t i = 0; i < profile.rows(); ++i) {
    cr_expect_eq(profile.Text(i, "dtype"), "f32");
    multiply_adds += profile.Number(i, "multiply_adds");
  }
  cr_expect_geq(multiply_adds, 28 * 28 * 9, "the first convolution alone");
}

Test(hpp, a_progress_hook_that_says_false_cancels) {
  const Model model = LoadSample();
  int calls = 0;
  Options options;
  options.Set(INTMILL_OPT_SCHEME, std::string("dynamic")).OnProgress([&](const auto&) {
    ++calls;
    return false;
  });
  const Probe none;
  cr_expect_eq(StatusOf([&] { intmill::Quantize(model, none, options); }), INTMILL_ERROR_CANCELLED);
  cr_expect_eq(calls, 1);
}

Test(hpp, borrowed_memory_is_not_copied) {
  float data[4] = {1, 2, 3, 4};
  const Tensor t = Tensor::Wrap(INTMILL_F32, {4}, data, sizeof data);
  cr_expect_eq(t.data<float>(), data);
}
