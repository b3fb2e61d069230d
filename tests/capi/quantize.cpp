// Tests of quantizing models.
#include "capi/support.h"

namespace {

std::string Column(const intmill_model* m, const std::string& layer, const char* column) {
  Report r;
  MUST(intmill_model_report(m, INTMILL_REPORT_LAYERS, &r));
  for (int64_t i = 0; i < intmill_report_rows(r); ++i)
    if (Text(r, i, "name") == layer) return Text(r, i, column);
  return "absent";
}

std::string Scheme(const intmill_model* m, const std::string& layer) {
  return Column(m, layer, "scheme");
}

std::string Value(const intmill_model* m, const char* key) {
  Report r;
  MUST(intmill_model_report(m, INTMILL_REPORT_METADATA, &r));
  return Row(r, key) < 0 ? "absent" : Text(r, Row(r, key), "value");
}

}  // namespace

Test(quantize_model, static_layers_compute_in_integers) {
  const Model m = LoadSample();
  const Model quantized = Quantize(m);
  for (const char* layer : {"/conv1/Conv", "/conv2/Conv", "/fc1/Gemm", "/fc2/Gemm"})
    cr_expect_eq(Scheme(quantized, layer), "static", "%s", layer);
  cr_expect_eq(Value(quantized, "intmill.scheme"), "static");
  cr_expect_eq(Value(quantized, "intmill.samples"), "4");
  cr_expect_eq(Scheme(m, "/conv1/Conv"), "float", "the float model does not change");
}

Test(quantize_model, weight_only_needs_no_data) {
  const Model m = LoadSample();
  Options o;
  MUST(intmill_options_create(&o));
  MUST(intmill_options_set_str(o, nullptr, INTMILL_OPT_SCHEME, "weight_only"));
  MUST(intmill_options_set_str(o, nullptr, INTMILL_OPT_WEIGHT_DTYPE, "s4"));
  MUST(intmill_options_set_i64(o, nullptr, INTMILL_OPT_GROUP_SIZE, 64));
  Model small;
  MUST(intmill_quantize(m, nullptr, o, &small));
  cr_expect_eq(Scheme(small, "/fc1/Gemm"), "weight_only");
  cr_expect_eq(Scheme(small, "/conv1/Conv"), "float");
  cr_expect_eq(Value(small, "intmill.scheme"), "weight_only");
  const Tensor x = SampleBatch();
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(Run(Open(m), x), Run(Open(small), x), &d));
  cr_expect_gt(d.sqnr_db, 15, "found %g dB", d.sqnr_db);  // 4 bits in the last two layers

  MUST(intmill_options_set_i64(o, nullptr, INTMILL_OPT_GPTQ, 1));
  Model refused;
  cr_expect_eq(intmill_quantize(m, nullptr, o, &refused), INTMILL_ERROR_INVALID_ARGUMENT);
  cr_expect(strstr(intmill_last_error(), "GPTQ needs data") != nullptr, "%s", intmill_last_error());
  cr_expect_eq(intmill_options_set_i64(o, nullptr, INTMILL_OPT_GROUP_SIZE, 12),
               INTMILL_ERROR_INVALID_ARGUMENT);
}

Test(quantize_model, arithmetic_in_bf16_survives_saving_and_exporting) {
  const Model m = LoadSample();
  const Options o = MakeOptions("{\"scheme\": \"bf16_compute\"}");
  Model narrow;
  MUST(intmill_quantize(m, nullptr, o, &narrow));
  cr_expect_eq(Value(narrow, "intmill.scheme"), "bf16_compute");
  const Tensor x = SampleBatch();
  const Tensor wanted = Run(Open(narrow), x);
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(Run(Open(m), x), wanted, &d));
  cr_expect_gt(d.sqnr_db, 30, "found %g dB", d.sqnr_db);
  cr_expect_gt(d.max_abs, 0);
  for (const char* form : {"{\"format\": \"intmill\"}", "{\"format\": \"onnx\"}"}) {
    Tensor file;
    MUST(intmill_model_save_memory(narrow, MakeOptions(form), &file));
    Model loaded;
    MUST(intmill_model_load_memory(intmill_tensor_data(file), intmill_tensor_bytes(file), nullptr,
                                   nullptr, nullptr, &loaded));
    for (const char* layer : {"/conv1/Conv", "/conv2/Conv", "/fc1/Gemm", "/fc2/Gemm"})
      cr_expect_eq(Scheme(loaded, layer), "bf16_compute", "%s: %s", form, layer);
    MUST(intmill_tensor_compare(Run(Open(loaded), x), wanted, &d));
    cr_expect_eq(d.max_abs, 0, "%s: %g", form, d.max_abs);
  }
}

Test(quantize_model, bf16_is_for_single_layers_too) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  const Options o = MakeOptions("{\"layers\": {\"/fc?/Gemm\": {\"scheme\": \"bf16_compute\"}}}");
  Model mixed;
  MUST(intmill_quantize(m, probe, o, &mixed));
  cr_expect_eq(Scheme(mixed, "/conv2/Conv"), "static");
  cr_expect_eq(Scheme(mixed, "/fc1/Gemm"), "bf16_compute");
  cr_expect_eq(Value(mixed, "intmill.scheme"), "mixed");
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  const Tensor x = SampleBatch();
  MUST(intmill_tensor_compare(Run(Open(m), x), Run(Open(mixed), x), &d));
  cr_expect_gt(d.sqnr_db, 20, "found %g dB", d.sqnr_db);
}

Test(quantize_model, arithmetic_in_fp16_is_not_there_and_says_so) {
  Options o;
  MUST(intmill_options_create(&o));
  REFUSED(intmill_options_set_str(o, nullptr, INTMILL_OPT_SCHEME, "fp16_compute"), kUnsupported,
          "arithmetic in FP16");
  Options other;
  REFUSED(
      intmill_options_from_json("{\"layers\": {\"a*\": {\"scheme\": \"fp16_compute\"}}}", &other),
      kUnsupported, "arithmetic in FP16");
}

Test(quantize_model, outputs_stay_near_those_of_the_float_model) {
  const Model m = LoadSample();
  const Model quantized = Quantize(m);
  const Tensor x = SampleBatch();
  const Tensor a = Run(Open(m), x);
  const Tensor b = Run(Open(quantized), x);
  intmill_difference d = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(a, b, &d));
  cr_expect_gt(d.sqnr_db, 20, "found %g dB", d.sqnr_db);  // 8 bits through four layers
  cr_expect_gt(d.max_abs, 0);
}

Test(quantize_model, weights_take_a_quarter_of_the_bytes) {
  const Model m = LoadSample();
  const Model quantized = Quantize(m);
  Tensor large;
  Tensor small;
  MUST(intmill_model_save_memory(m, nullptr, &large));
  MUST(intmill_model_save_memory(quantized, nullptr, &small));
  cr_expect_gt(static_cast<double>(intmill_tensor_bytes(large)) /
                   static_cast<double>(intmill_tensor_bytes(small)),
               3.6);
}

Test(quantize_model, dynamic_needs_no_calibration) {
  const Model m = LoadSample();
  const Options opts = MakeOptions("{\"scheme\": \"dynamic\"}");
  Model quantized;
  MUST(intmill_quantize(m, nullptr, opts, &quantized));
  cr_expect_eq(Scheme(quantized, "/fc1/Gemm"), "dynamic");
  const Tensor x = SampleBatch();
  const Tensor y = Run(Open(quantized), x);
  cr_expect_eq(intmill_tensor_bytes(y), 4 * 10 * 4);
}

Test(quantize_model, layers_can_be_left_out_by_name_and_by_glob) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  const Options opts =
      MakeOptions("{\"layers\": {\"/fc?/*\": {\"skip\": 1}, \"/conv1/Conv\": {\"skip\": 1}}}");
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  cr_expect_eq(Scheme(quantized, "/conv1/Conv"), "float");
  cr_expect_eq(Scheme(quantized, "/conv2/Conv"), "static");
  cr_expect_eq(Scheme(quantized, "/fc2/Gemm"), "float");
}

Test(quantize_model, a_layer_that_does_not_exist_is_refused) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  const Options opts = MakeOptions("{\"layers\": {\"conv99\": {\"skip\": 1}}}");
  Model quantized;
  REFUSED(intmill_quantize(m, probe, opts, &quantized), kInvalid, "conv99");
}

Test(quantize_model, static_without_calibration_is_refused) {
  const Model m = LoadSample();
  Model quantized;
  REFUSED(intmill_quantize(m, nullptr, nullptr, &quantized), kInvalid, "calibrat");
}

Test(quantize_model, a_calibration_that_saw_nothing_is_a_matter_of_state) {
  const Model m = LoadSample();
  Probe probe;
  MUST(intmill_probe_calibrate(m, nullptr, &probe));
  Model quantized;
  REFUSED(intmill_quantize(m, probe, nullptr, &quantized), kState, "");
}

Test(quantize_model, the_calibration_of_another_model_is_refused) {
  const Model m = LoadSample();
  const Model other = LoadSample();
  const Probe probe = Calibrate(other);
  Model quantized;
  REFUSED(intmill_quantize(m, probe, nullptr, &quantized), kInvalid, "another model");
}

Test(quantize_model, a_probe_of_another_kind_is_refused) {
  const Model m = LoadSample();
  Probe probe;
  MUST(intmill_probe_verify(m, m, nullptr, &probe));
  Model quantized;
  REFUSED(intmill_quantize(m, probe, nullptr, &quantized), kInvalid, "another kind");
}

Test(quantize_model, twice_is_a_matter_of_state) {
  const Model quantized = Quantize(LoadSample());
  const Options opts = MakeOptions("{\"scheme\": \"dynamic\"}");
  Model again;
  REFUSED(intmill_quantize(quantized, nullptr, opts, &again), kState, "quantized already");
}

Test(quantize_model, null_arguments_are_refused) {
  const Model m = LoadSample();
  Model quantized;
  REFUSED(intmill_quantize(nullptr, nullptr, nullptr, &quantized), kInvalid, "m is NULL");
  REFUSED(intmill_quantize(m, nullptr, nullptr, nullptr), kInvalid, "out is NULL");
}

Test(quantize_model, an_annotated_copy_may_use_the_calibration_of_its_model) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  Model noted;
  MUST(intmill_model_annotate(m, "note", "x", &noted));
  Model quantized;
  MUST(intmill_quantize(noted, probe, nullptr, &quantized));
  cr_expect_eq(Value(quantized, "note"), "x");
}

Test(quantize_model, sixteen_bit_activations_survive_files_and_lose_less) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  const Options opts = MakeOptions("{\"activation_dtype\": \"s16\"}");
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  cr_expect_eq(Scheme(quantized, "/conv2/Conv"), "static");
  cr_expect_eq(Column(quantized, "/conv2/Conv", "activations"), "s16");
  cr_expect_eq(Column(Quantize(m), "/conv2/Conv", "activations"), "u8");

  const Tensor x = SampleBatch();
  const Tensor real = Run(Open(m), x);
  const Tensor found = Run(Open(quantized), x);
  intmill_difference bytes = INTMILL_DIFFERENCE_INIT;
  intmill_difference words = INTMILL_DIFFERENCE_INIT;
  MUST(intmill_tensor_compare(real, Run(Open(Quantize(m)), x), &bytes));
  MUST(intmill_tensor_compare(real, found, &words));
  cr_expect_gt(words.sqnr_db, bytes.sqnr_db, "%g dB, and %g dB", words.sqnr_db, bytes.sqnr_db);

  for (const char* format : {"{\"format\": \"intmill\"}", "{\"format\": \"onnx\"}"}) {
    const Options as = MakeOptions(format);
    Tensor file;
    MUST(intmill_model_save_memory(quantized, as, &file));
    Model loaded;
    MUST(intmill_model_load_memory(intmill_tensor_data(file), intmill_tensor_bytes(file), nullptr,
                                   nullptr, nullptr, &loaded));
    intmill_difference none = INTMILL_DIFFERENCE_INIT;
    MUST(intmill_tensor_compare(found, Run(Open(loaded), x), &none));
    cr_expect_eq(none.max_abs, 0, "%s", format);
  }
}

Test(quantize_model, sixteen_bits_are_for_static_ranges) {
  const Model m = LoadSample();
  const Options opts = MakeOptions("{\"scheme\": \"dynamic\", \"activation_dtype\": \"s16\"}");
  Model quantized;
  REFUSED(intmill_quantize(m, nullptr, opts, &quantized), INTMILL_ERROR_UNSUPPORTED,
          "activations of 16 bits with scheme dynamic");
}
