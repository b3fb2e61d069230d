// Tests of calibrations in files, and of adding them up.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include "capi/support.h"

namespace {

// A file of one test, removed with it.
class TestFile {
 public:
  explicit TestFile(const char* name)
      : path_("/tmp/intmill-capi-" + std::to_string(getpid()) + "-" + name) {}
  ~TestFile() { std::remove(path_.c_str()); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;
  operator const char*() const { return path_.c_str(); }  // NOLINT(google-explicit-constructor)
  std::string Read() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::string path_;
};

// Pictures of the sample batch, one by one.
Probe CalibrateOn(const intmill_model* m, const std::vector<int64_t>& pictures) {
  Probe probe;
  MUST(intmill_probe_calibrate(m, nullptr, &probe));
  const Tensor all = SampleBatch();
  for (const int64_t picture : pictures) {
    const Tensor x = MakeTensor(INTMILL_F32, {1, 1, 28, 28});
    std::memcpy(intmill_tensor_data(x),
                static_cast<const float*>(intmill_tensor_data(all)) + picture * 784, 784 * 4);
    intmill_tensor* const inputs[] = {x};
    MUST(intmill_probe_feed(probe, inputs, 1, nullptr, 0));
  }
  return probe;
}

std::string Bytes(const intmill_model* m, const intmill_probe* calibration) {
  Model quantized;
  MUST(intmill_quantize(m, calibration, nullptr, &quantized));
  Tensor bytes;
  MUST(intmill_model_save_memory(quantized, nullptr, &bytes));
  return {static_cast<const char*>(intmill_tensor_data(bytes)),
          static_cast<size_t>(intmill_tensor_bytes(bytes))};
}

}  // namespace

Test(statistics, shards_make_the_model_that_one_calibration_makes) {
  const Model m = LoadSample();
  const Probe whole = CalibrateOn(m, {0, 1, 2, 3});
  const TestFile wanted("wanted.imstat");
  MUST(intmill_probe_save(whole, wanted, nullptr));
  const Probe sum = CalibrateOn(m, {3});
  for (const int64_t picture : {1, 0, 2}) {
    // Another process has its own copy of the model.
    const Model copy = LoadSample();
    const Probe shard = CalibrateOn(copy, {picture});
    const TestFile file("shard.imstat");
    MUST(intmill_probe_save(shard, file, nullptr));
    Probe loaded;
    MUST(intmill_probe_load(file, nullptr, &loaded));
    MUST(intmill_probe_merge(sum, loaded));
  }
  const TestFile found("found.imstat");
  MUST(intmill_probe_save(sum, found, nullptr));
  cr_expect(found.Read() == wanted.Read());
  Probe loaded;
  MUST(intmill_probe_load(found, nullptr, &loaded));
  cr_expect(Bytes(m, loaded) == Bytes(m, whole));
}

Test(statistics, a_loaded_calibration_tells_its_ranges_and_is_not_fed) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  const TestFile file("ranges.imstat");
  MUST(intmill_probe_save(probe, file, nullptr));
  Probe loaded;
  MUST(intmill_probe_load(file, nullptr, &loaded));
  Report r;
  MUST(intmill_probe_report(loaded, INTMILL_REPORT_RANGES, &r));
  cr_expect_gt(intmill_report_rows(r), 4);
  cr_expect_eq(Number(r, 0, "samples"), 4);
  const Tensor x = SampleBatch();
  intmill_tensor* const inputs[] = {x};
  REFUSED(intmill_probe_feed(loaded, inputs, 1, nullptr, 0), kState, "cannot be fed");
}

Test(statistics, a_probe_that_saw_nothing_adds_nothing) {
  const Model m = LoadSample();
  Probe empty;
  MUST(intmill_probe_calibrate(m, nullptr, &empty));
  const TestFile file("empty.imstat");
  MUST(intmill_probe_save(empty, file, nullptr));
  Probe loaded;
  MUST(intmill_probe_load(file, nullptr, &loaded));
  Report r;
  REFUSED(intmill_probe_report(loaded, INTMILL_REPORT_RANGES, &r), kState, "fed");
  Model quantized;
  REFUSED(intmill_quantize(m, loaded, nullptr, &quantized), kState, "no data");
  const Probe probe = Calibrate(m);
  const std::string wanted = Bytes(m, probe);
  MUST(intmill_probe_merge(probe, loaded));
  cr_expect(Bytes(m, probe) == wanted);
  MUST(intmill_probe_merge(loaded, probe));
  cr_expect(Bytes(m, loaded) == wanted);
}

Test(statistics, another_model_and_other_kinds_of_probes_are_refused) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  Probe verifying;
  MUST(intmill_probe_verify(m, m, nullptr, &verifying));
  const TestFile file("other.imstat");
  REFUSED(intmill_probe_save(verifying, file, nullptr), kInvalid, "another kind");
  REFUSED(intmill_probe_save(nullptr, file, nullptr), kInvalid, "p is NULL");
  REFUSED(intmill_probe_save(probe, nullptr, nullptr), kInvalid, "path is NULL");
  REFUSED(intmill_probe_save(probe, "/no/such/folder/x.imstat", nullptr), INTMILL_ERROR_IO,
          "/no/such/folder/x.imstat");
  REFUSED(intmill_probe_merge(probe, verifying), kInvalid, "other is a probe of another kind");
  REFUSED(intmill_probe_merge(verifying, probe), kInvalid, "p is a probe of another kind");
  REFUSED(intmill_probe_merge(nullptr, probe), kInvalid, "p is NULL");
  Probe loaded;
  REFUSED(intmill_probe_load("/no/such.imstat", nullptr, &loaded), INTMILL_ERROR_IO,
          "/no/such.imstat");
  REFUSED(intmill_probe_load(nullptr, nullptr, &loaded), kInvalid, "path is NULL");
  REFUSED(intmill_probe_load(file, nullptr, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_probe_load((Repository() + "/samples/data/fashion_cnn.onnx").c_str(), nullptr,
                             &loaded),
          INTMILL_ERROR_BAD_FORMAT, "not a file of calibration statistics");
  // A model that says something else is another one: here with one constant more.
  MUST(intmill_probe_save(probe, file, nullptr));
  MUST(intmill_probe_load(file, nullptr, &loaded));
  const Options none = MakeOptions("{\"disable_passes\": \"fuse_bias,remove_identity\"}");
  const Model same = LoadSample(none);
  Model quantized;
  MUST(intmill_quantize(m, loaded, nullptr, &quantized));
  Model smaller;
  const Model annotated = Quantize(m);
  REFUSED(intmill_quantize(annotated, loaded, nullptr, &smaller), kInvalid, "another model");
}
