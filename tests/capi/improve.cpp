// Tests of what repairs quantization: learned rounding, equalizing, smoothing, and their options.
#include "capi/support.h"

namespace {

Probe Learn(const intmill_model* m, const intmill_probe* calibration) {
  Probe probe;
  MUST(intmill_probe_rounding(m, calibration, nullptr, &probe));
  const Tensor x = SampleBatch(16);
  intmill_tensor* const inputs[] = {x};
  MUST(intmill_probe_feed(probe, inputs, 1, nullptr, 0));
  return probe;
}

double SqnrDb(const intmill_model* reference, const intmill_model* candidate) {
  const Tensor x = SampleBatch(16);
  const Tensor a = Run(Open(reference), x);
  const Tensor b = Run(Open(candidate), x);
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(a, b, &d));
  return d.sqnr_db;
}

Model QuantizeWith(const intmill_model* m, const intmill_probe* probe, const char* json = "{}") {
  const Options opts = MakeOptions(json);
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  return quantized;
}

std::string Bytes(const intmill_model* m) {
  Tensor bytes;
  MUST(intmill_model_save_memory(m, nullptr, &bytes));
  return {static_cast<const char*>(intmill_tensor_data(bytes)),
          static_cast<size_t>(intmill_tensor_bytes(bytes))};
}

}  // namespace

Test(rounding_probe, makes_other_weights_than_the_nearest) {
  const Model m = LoadSample();
  const Probe calibration = Calibrate(m);
  const Model nearest = QuantizeWith(m, calibration);
  const Model learned = QuantizeWith(m, Learn(m, calibration));
  cr_expect_neq(Bytes(nearest), Bytes(learned));
  // What activations lose stays; rounding must not add to it.
  cr_expect_gt(SqnrDb(m, learned), SqnrDb(m, nearest) - 0.5);
}

Test(rounding_probe, tells_what_it_saw) {
  const Model m = LoadSample();
  const Probe learned = Learn(m, Calibrate(m));
  Report r;
  MUST(intmill_probe_report(learned, INTMILL_REPORT_SUMMARY, &r));
  cr_expect_eq(Number(r, Row(r, "samples"), "value"), 16);
  cr_expect_eq(Number(r, Row(r, "layers"), "value"), 4);
  Report ranges;
  REFUSED(intmill_probe_report(learned, INTMILL_REPORT_RANGES, &ranges), kInvalid, "learns");
}

Test(rounding_probe, needs_a_calibration_that_was_fed_and_data_of_its_own) {
  const Model m = LoadSample();
  Probe probe;
  REFUSED(intmill_probe_rounding(m, nullptr, nullptr, &probe), kInvalid, "calibration");
  Probe unfed;
  MUST(intmill_probe_calibrate(m, nullptr, &unfed));
  REFUSED(intmill_probe_rounding(m, unfed, nullptr, &probe), kState, "no data");
  MUST(intmill_probe_rounding(m, Calibrate(m), nullptr, &probe));
  Model out;
  REFUSED(intmill_quantize(m, probe, nullptr, &out), kState, "nothing was fed");
}

Test(rounding_probe, is_of_one_model) {
  const Model m = LoadSample();
  const Model other = LoadSample();
  const Probe learned = Learn(m, Calibrate(m));
  Model out;
  REFUSED(intmill_quantize(other, learned, nullptr, &out), kInvalid, "another model");
}

Test(equalize_model, keeps_the_function_and_says_what_it_did) {
  const Model m = LoadSample();
  Model equalized;
  MUST(intmill_equalize(m, nullptr, &equalized));
  cr_expect_gt(SqnrDb(m, equalized), 100, "floats are rounded once more");
  Report r;
  MUST(intmill_model_report(equalized, INTMILL_REPORT_METADATA, &r));
  cr_expect_geq(Row(r, "intmill.equalized"), 0);
  Model again;
  REFUSED(intmill_equalize(Quantize(m), nullptr, &again), kState, "quantized already");
}

Test(equalize_model, needs_a_calibration_of_its_own) {
  const Model m = LoadSample();
  Model equalized;
  MUST(intmill_equalize(m, nullptr, &equalized));
  Model out;
  REFUSED(intmill_quantize(equalized, Calibrate(m), nullptr, &out), kInvalid, "another model");
}

Test(smooth_model, keeps_the_function) {
  const Model m = LoadSample();
  const Options opts = MakeOptions("{\"smooth_alpha\": 0.5}");
  Model smoothed;
  MUST(intmill_smooth(m, Calibrate(m), opts, &smoothed));
  cr_expect_gt(SqnrDb(m, smoothed), 100, "floats are rounded once more");
  cr_expect_neq(Bytes(m), Bytes(smoothed));
}

Test(smooth_model, needs_a_calibration_that_was_fed) {
  const Model m = LoadSample();
  Model out;
  REFUSED(intmill_smooth(m, nullptr, nullptr, &out), kInvalid, "calibration");
  Probe unfed;
  MUST(intmill_probe_calibrate(m, nullptr, &unfed));
  REFUSED(intmill_smooth(m, unfed, nullptr, &out), kState, "no data");
}

Test(improving_options, change_what_they_say) {
  const Model m = LoadSample();
  const Probe calibration = Calibrate(m);
  const std::string plain = Bytes(QuantizeWith(m, calibration));
  cr_expect_neq(Bytes(QuantizeWith(m, calibration, "{\"bias_correction\": \"none\"}")), plain);
  cr_expect_neq(
      Bytes(QuantizeWith(m, calibration, "{\"per_channel\": 0, \"weight_range\": \"mse\"}")),
      Bytes(QuantizeWith(m, calibration, "{\"per_channel\": 0}")));
  Options opts;
  REFUSED(intmill_options_from_json("{\"bias_correction\": \"some\"}", &opts), kInvalid,
          "none, data, batch_norm");
  REFUSED(intmill_options_from_json("{\"smooth_alpha\": 1.5}", &opts), kInvalid, "0 to 1");
}
