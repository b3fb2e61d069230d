// Tests of calibrating and verifying probes.
#include <algorithm>
#include <cmath>

#include "capi/support.h"

namespace {

intmill_status Feed(intmill_probe* p, intmill_tensor* x, intmill_tensor* target = nullptr) {
  return intmill_probe_feed(p, &x, 1, &target, target == nullptr ? 0 : 1);
}

// The class that the model itself finds, so that top-1 is 100 percent.
Tensor OwnClasses(const intmill_model* m, intmill_tensor* x) {
  const Tensor scores = Run(Open(m), x);
  const int64_t rows = intmill_tensor_dims(x)[0];
  Tensor classes = MakeTensor(INTMILL_S64, {rows});
  const auto* score = static_cast<const float*>(intmill_tensor_data(scores));
  for (int64_t row = 0; row < rows; ++row)
    static_cast<int64_t*>(intmill_tensor_data(classes))[row] =
        std::max_element(score + row * 10, score + row * 10 + 10) - (score + row * 10);
  return classes;
}

Probe Verify(const intmill_model* reference, const intmill_model* candidate) {
  Probe p;
  MUST(intmill_probe_verify(reference, candidate, nullptr, &p));
  return p;
}

}  // namespace

Test(calibrate, reports_a_range_for_each_activation) {
  const Model m = LoadSample();
  const Probe p = Calibrate(m);
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_RANGES, &r));
  cr_expect_gt(intmill_report_rows(r), 4);
  for (int64_t i = 0; i < intmill_report_rows(r); ++i) {
    cr_expect_leq(Number(r, i, "min"), Number(r, i, "max"));
    cr_expect_gt(Number(r, i, "scale"), 0);
    cr_expect_eq(Number(r, i, "samples"), 4);
    cr_expect_eq(Number(r, i, "nonfinite"), 0);
  }
}

Test(calibrate, counts_values_that_are_not_finite) {
  const Model m = LoadSample();
  Probe p;
  MUST(intmill_probe_calibrate(m, nullptr, &p));
  const Tensor x = SampleBatch();
  static_cast<float*>(intmill_tensor_data(x))[5] = NAN;
  MUST(Feed(p, x));
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_RANGES, &r));
  cr_expect_eq(Text(r, 0, "tensor"), "image");
  cr_expect_eq(Number(r, 0, "nonfinite"), 1);
}

Test(calibrate, before_a_batch_there_is_nothing_to_report) {
  const Model m = LoadSample();
  Probe p;
  Report r;
  MUST(intmill_probe_calibrate(m, nullptr, &p));
  REFUSED(intmill_probe_report(p, INTMILL_REPORT_RANGES, &r), kState, "fed");
}

Test(calibrate, a_quantized_model_is_a_matter_of_state) {
  const Model m = LoadSample();
  const Model quantized = Quantize(m);
  Probe p;
  REFUSED(intmill_probe_calibrate(quantized, nullptr, &p), kState, "quantized already");
}

Test(calibrate, targets_are_for_other_probes) {
  const Model m = LoadSample();
  Probe p;
  MUST(intmill_probe_calibrate(m, nullptr, &p));
  const Tensor x = SampleBatch();
  const Tensor target = MakeTensor(INTMILL_S64, {4});
  REFUSED(Feed(p, x, target), kInvalid, "targets are for verifying");
}

Test(calibrate, a_failing_batch_changes_nothing) {
  const Model m = LoadSample();
  Probe p = Calibrate(m);
  const Tensor wrong = MakeTensor(INTMILL_F32, {4, 1, 27, 28});
  REFUSED(Feed(p, wrong), kShape, "image");
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_RANGES, &r));
  cr_expect_eq(Number(r, 0, "samples"), 4);
}

Test(calibrate, null_arguments_and_wrong_counts_are_refused) {
  const Model m = LoadSample();
  Probe p;
  MUST(intmill_probe_calibrate(m, nullptr, &p));
  Probe none;
  REFUSED(intmill_probe_calibrate(nullptr, nullptr, &none), kInvalid, "m is NULL");
  REFUSED(intmill_probe_calibrate(m, nullptr, nullptr), kInvalid, "out is NULL");
  intmill_tensor* inputs[] = {nullptr, nullptr};
  REFUSED(intmill_probe_feed(nullptr, inputs, 1, nullptr, 0), kInvalid, "p is NULL");
  REFUSED(intmill_probe_feed(p, nullptr, 1, nullptr, 0), kInvalid, "inputs is NULL");
  REFUSED(intmill_probe_feed(p, inputs, 1, nullptr, 0), kInvalid, "inputs[0] is NULL");
  REFUSED(intmill_probe_feed(p, inputs, -1, nullptr, 0), kInvalid, "is -1");
  REFUSED(intmill_probe_feed(p, nullptr, 0, nullptr, 0), kInvalid, "0 inputs");
  Report r;
  REFUSED(intmill_probe_report(nullptr, INTMILL_REPORT_RANGES, &r), kInvalid, "p is NULL");
  REFUSED(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &r), kInvalid, "report kind 20");
  REFUSED(intmill_probe_report(p, INTMILL_REPORT_RANGES, nullptr), kInvalid, "out is NULL");
  intmill_probe_release(nullptr);
}

Test(verify, a_model_agrees_with_itself) {
  const Model m = LoadSample();
  const Probe p = Verify(m, m);
  const Tensor x = SampleBatch();
  MUST(Feed(p, x, OwnClasses(m, x)));
  Report summary;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &summary));
  cr_expect_eq(Number(summary, Row(summary, "samples"), "value"), 4);
  for (const char* key :
       {"agreement", "reference_top1", "reference_top5", "candidate_top1", "candidate_top5"})
    cr_expect_eq(Number(summary, Row(summary, key), "value"), 100, "%s", key);
  Report outputs;
  MUST(intmill_probe_report(p, INTMILL_REPORT_OUTPUTS, &outputs));
  cr_expect_eq(Text(outputs, 0, "name"), "logits");
  cr_expect_eq(Number(outputs, 0, "max_abs"), 0);
  cr_expect(std::isinf(Number(outputs, 0, "sqnr_db")));
}

Test(verify, without_targets_there_is_no_accuracy) {
  const Model m = LoadSample();
  const Probe p = Verify(m, m);
  MUST(Feed(p, SampleBatch()));
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &r));
  cr_expect_eq(Row(r, "reference_top1"), -1);
  cr_expect_geq(Row(r, "agreement"), 0);
}

Test(verify, wrong_classes_are_not_counted_as_right) {
  const Model m = LoadSample();
  const Probe p = Verify(m, m);
  const Tensor x = SampleBatch();
  const Tensor classes = OwnClasses(m, x);
  auto* first = static_cast<int64_t*>(intmill_tensor_data(classes));
  *first = (*first + 1) % 10;
  MUST(Feed(p, x, classes));
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &r));
  cr_expect_eq(Number(r, Row(r, "reference_top1"), "value"), 75);
}

Test(verify, targets_come_with_every_batch_or_with_none) {
  const Model m = LoadSample();
  const Probe p = Verify(m, m);
  const Tensor x = SampleBatch();
  MUST(Feed(p, x));
  REFUSED(Feed(p, x, OwnClasses(m, x)), kState, "targets");
}

Test(verify, targets_must_be_classes_of_the_rows) {
  const Model m = LoadSample();
  const Probe p = Verify(m, m);
  const Tensor x = SampleBatch();
  REFUSED(Feed(p, x, MakeTensor(INTMILL_F32, {4})), kShape, "");
  REFUSED(Feed(p, x, MakeTensor(INTMILL_S64, {3})), kShape, "");
  const Tensor beyond = MakeTensor(INTMILL_S32, {4});
  static_cast<int32_t*>(intmill_tensor_data(beyond))[1] = 10;
  REFUSED(Feed(p, x, beyond), kInvalid, "10");
}

Test(verify, models_of_other_ports_are_refused) {
  const Model m = LoadSample();
  Probe p;
  REFUSED(intmill_probe_verify(nullptr, m, nullptr, &p), kInvalid, "reference is NULL");
  REFUSED(intmill_probe_verify(m, nullptr, nullptr, &p), kInvalid, "candidate is NULL");
  REFUSED(intmill_probe_verify(m, m, nullptr, nullptr), kInvalid, "out is NULL");
  Report r;
  const Probe fresh = Verify(m, m);
  REFUSED(intmill_probe_report(fresh, INTMILL_REPORT_SUMMARY, &r), kState, "fed");
  REFUSED(intmill_probe_report(fresh, INTMILL_REPORT_RANGES, &r), kInvalid, "report kind 22");
}

namespace {

Probe Sensitivity(const intmill_model* m, const intmill_probe* calibration,
                  const char* json = "{\"threads\": 1}") {
  const Options opts = MakeOptions(json);
  Probe p;
  MUST(intmill_probe_sensitivity(m, calibration, opts, &p));
  return p;
}

}  // namespace

Test(sensitivity, ranks_the_layers_of_a_model) {
  const Model m = LoadSample();
  const Probe calibration = Calibrate(m);
  const Probe p = Sensitivity(m, calibration);
  const Tensor x = SampleBatch();
  MUST(Feed(p, x, OwnClasses(m, x)));
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SENSITIVITY, &r));
  cr_assert_eq(intmill_report_rows(r), 4);
  for (int64_t i = 0; i < 4; ++i) {
    cr_expect_gt(Number(r, i, "sqnr_db"), 15, "%s", Text(r, i, "layer").c_str());
    cr_expect_gt(Number(r, i, "layer_sqnr_db"), 15, "%s", Text(r, i, "layer").c_str());
    cr_expect_leq(Number(r, i, "top1_change"), 0);
    if (i > 0) cr_expect_geq(Number(r, i, "sqnr_db"), Number(r, i - 1, "sqnr_db"));
  }
  Report summary;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &summary));
  cr_expect_eq(Number(summary, Row(summary, "samples"), "value"), 4);
  cr_expect_eq(Number(summary, Row(summary, "reference_top1"), "value"), 100);
  cr_expect_lt(Number(summary, Row(summary, "steps"), "value"),
               Number(summary, Row(summary, "steps_whole"), "value"));
}

Test(sensitivity, reverse_tells_what_each_layer_wins_back) {
  const Model m = LoadSample();
  const Probe calibration = Calibrate(m);
  const Probe p = Sensitivity(m, calibration, "{\"threads\": 1, \"reverse\": 1}");
  const Tensor x = SampleBatch();
  MUST(Feed(p, x));
  Report summary;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SUMMARY, &summary));
  const double whole = Number(summary, Row(summary, "sqnr_db"), "value");
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_SENSITIVITY, &r));
  cr_expect_gt(Number(r, 0, "sqnr_db"), whole);
  cr_expect(std::isnan(Number(r, 0, "top1_change")));
}

Test(sensitivity, what_it_cannot_do_is_refused) {
  const Model m = LoadSample();
  const Model other = LoadSample();
  const Probe calibration = Calibrate(m);
  Probe p;
  REFUSED(intmill_probe_sensitivity(nullptr, calibration, nullptr, &p), kInvalid, "m is NULL");
  REFUSED(intmill_probe_sensitivity(m, calibration, nullptr, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_probe_sensitivity(m, nullptr, nullptr, &p), kInvalid, "needs a calibration");
  REFUSED(intmill_probe_sensitivity(other, calibration, nullptr, &p), kInvalid, "another model");
  const Probe verifying = Verify(m, m);
  REFUSED(intmill_probe_sensitivity(m, verifying, nullptr, &p), kInvalid, "another kind");
  Probe unfed;
  MUST(intmill_probe_calibrate(m, nullptr, &unfed));
  REFUSED(intmill_probe_sensitivity(m, unfed, nullptr, &p), kState, "no data");
  const Model quantized = Quantize(m);
  REFUSED(intmill_probe_sensitivity(quantized, nullptr, nullptr, &p), kState, "quantized already");
  const Probe fresh = Sensitivity(m, calibration);
  Report r;
  REFUSED(intmill_probe_report(fresh, INTMILL_REPORT_SENSITIVITY, &r), kState, "fed");
  REFUSED(intmill_probe_report(fresh, INTMILL_REPORT_RANGES, &r), kInvalid, "ranks layers");
  const Tensor x = SampleBatch();
  const Tensor beyond = MakeTensor(INTMILL_S32, {4});
  static_cast<int32_t*>(intmill_tensor_data(beyond))[1] = 10;
  REFUSED(Feed(fresh, x, beyond), kInvalid, "10");
}
