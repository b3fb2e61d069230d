// Certificates through the C ABI: made, kept in the file, replayed, refused.
#include <cmath>
#include <string>

#include "capi/support.h"

namespace {

Probe Certifying(const intmill_model* reference, const intmill_model* candidate) {
  Probe p;
  MUST(intmill_probe_certify(reference, candidate, nullptr, &p));
  const Tensor x = SampleBatch();
  intmill_tensor* const inputs[] = {x};
  MUST(intmill_probe_feed(p, inputs, 1, nullptr, 0));
  return p;
}

Model Certified(const intmill_model* m, const intmill_probe* p) {
  Model certified;
  MUST(intmill_model_certify(m, p, &certified));
  return certified;
}

// As it would come from a file.
Model Reloaded(const intmill_model* m) {
  Tensor file;
  MUST(intmill_model_save_memory(m, nullptr, &file));
  void* const data = intmill_tensor_data(file);
  const int64_t bytes = intmill_tensor_bytes(file);
  const auto give_back = [](void* user, void*) {
    intmill_tensor_release(static_cast<intmill_tensor*>(user));
  };
  Model loaded;
  MUST(intmill_model_load_memory(data, bytes, give_back, file.Give(), nullptr, &loaded));
  return loaded;
}

Report Replay(const intmill_model* m, intmill_tensor* x) {
  Probe p;
  MUST(intmill_probe_replay(m, nullptr, &p));
  MUST(intmill_probe_feed(p, &x, 1, nullptr, 0));
  Report r;
  MUST(intmill_probe_report(p, INTMILL_REPORT_REPLAY, &r));
  return r;
}

bool Holds(const intmill_report* r) {
  for (int64_t i = 0; i < intmill_report_rows(r); ++i)
    if (Number(r, i, "holds") == 0) return false;
  return intmill_report_rows(r) > 0;
}

}  // namespace

Test(certificate, is_kept_in_the_file_and_replayed) {
  const Model m = LoadSample();
  const Model q = Quantize(m);
  const Model certified = Reloaded(Certified(q, Certifying(m, q)));
  Report facts;
  MUST(intmill_model_report(certified, INTMILL_REPORT_CERTIFICATE, &facts));
  cr_expect_eq(Text(facts, 0, "fact"), "reference");
  cr_expect_eq(Text(facts, 0, "value").size(), 32);
  const Tensor x = SampleBatch();
  const Report replay = Replay(certified, x);
  cr_expect(Holds(replay), "%s", intmill_report_json(replay));
  for (int64_t i = 2; i < intmill_report_rows(replay); ++i)
    cr_expect_eq(Number(replay, i, "found"), Number(replay, i, "recorded"));
}

Test(certificate, other_data_does_not_hold) {
  const Model m = LoadSample();
  const Model q = Quantize(m);
  const Model certified = Certified(q, Certifying(m, q));
  const Tensor x = SampleBatch();
  static_cast<float*>(intmill_tensor_data(x))[0] += 0.5f;
  const Report replay = Replay(certified, x);
  cr_expect_eq(Text(replay, 0, "figure"), "data");
  cr_expect_eq(Number(replay, 0, "holds"), 0);
}

Test(certificate, figures_of_another_model_are_refused) {
  const Model m = LoadSample();
  const Model q = Quantize(m);
  Model out;
  REFUSED(intmill_model_certify(q, Certifying(m, m), &out), INTMILL_ERROR_INVALID_ARGUMENT,
          "another model");
}

Test(certificate, equal_data_gives_equal_bytes) {
  const Model m = LoadSample();
  const Model q = Quantize(m);
  Tensor one;
  Tensor two;
  MUST(intmill_model_save_memory(Certified(q, Certifying(m, q)), nullptr, &one));
  MUST(intmill_model_save_memory(Certified(q, Certifying(m, q)), nullptr, &two));
  cr_assert_eq(intmill_tensor_bytes(one), intmill_tensor_bytes(two));
  cr_assert_arr_eq(intmill_tensor_data(one), intmill_tensor_data(two), intmill_tensor_bytes(one));
}

Test(certificate, what_is_missing_or_of_another_kind_is_named) {
  const Model m = LoadSample();
  Probe p;
  REFUSED(intmill_probe_replay(m, nullptr, &p), INTMILL_ERROR_STATE, "no certificate");
  Report none;
  MUST(intmill_model_report(m, INTMILL_REPORT_CERTIFICATE, &none));
  cr_expect_eq(intmill_report_rows(none), 0);
  MUST(intmill_probe_certify(m, m, nullptr, &p));
  Model out;
  REFUSED(intmill_model_certify(m, p, &out), INTMILL_ERROR_STATE, "not fed");
  REFUSED(intmill_model_certify(m, Calibrate(m), &out), INTMILL_ERROR_INVALID_ARGUMENT,
          "another kind");
  Report refused;
  REFUSED(intmill_probe_report(p, INTMILL_REPORT_REPLAY, &refused), INTMILL_ERROR_INVALID_ARGUMENT,
          "that certifies");
}

Test(certificate, plans_of_precisions_keep_their_budget) {
  const double noise[] = {1, 0, 5, 0};
  const double cost[] = {1, 3, 1, 2};
  int64_t chosen[2] = {9, 9};
  MUST(intmill_plan_precisions(2, 2, noise, cost, 1, chosen));
  cr_expect_eq(chosen[0], 0);
  cr_expect_eq(chosen[1], 1);
  REFUSED(intmill_plan_precisions(2, 0, noise, cost, 1, chosen), INTMILL_ERROR_INVALID_ARGUMENT,
          "0 precisions");
  REFUSED(intmill_plan_precisions(2, 2, noise, nullptr, 1, chosen), INTMILL_ERROR_INVALID_ARGUMENT,
          "cost");
}

Test(certificate, histograms_count_every_value) {
  const Model m = LoadSample();
  const Probe p = Calibrate(m);
  Report bins;
  MUST(intmill_probe_report(p, INTMILL_REPORT_HISTOGRAMS, &bins));
  double count = 0;
  for (int64_t i = 0; i < intmill_report_rows(bins); ++i) {
    cr_expect_leq(Number(bins, i, "begin"), Number(bins, i, "end"));
    if (Text(bins, i, "tensor") == "image") count += Number(bins, i, "count");
  }
  cr_expect_eq(count, 4 * 784);
}
