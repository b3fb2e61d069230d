// Tests of sessions and bindings.
#include "capi/onnx.h"
#include "capi/support.h"

namespace {

Model LoadAdd(const std::string& rows) {
  const std::string file = OnnxAdd(rows);
  Model m;
  MUST(intmill_model_load_memory(file.data(), static_cast<int64_t>(file.size()), nullptr, nullptr,
                                 nullptr, &m));
  return m;
}

Tensor Rows(int64_t rows, float value) {
  Tensor t = MakeTensor(INTMILL_F32, {rows, 3});
  auto* data = static_cast<float*>(intmill_tensor_data(t));
  for (int64_t i = 0; i < rows * 3; ++i) data[i] = value;
  return t;
}

}  // namespace

Test(session, runs_and_makes_its_outputs) {
  const Model m = LoadAdd("batch");
  const Session s = Open(m);
  const Tensor a = Rows(2, 1);
  const Tensor b = Rows(2, 2);
  intmill_tensor* const inputs[] = {a, b};
  intmill_tensor* output = nullptr;
  MUST(intmill_session_run(s, inputs, 2, &output, 1));
  const Tensor owned(output);
  cr_expect(Floats(output) == std::vector<float>(6, 3));
}

Test(session, writes_an_output_in_place) {
  const Model m = LoadAdd("2");
  const Session s = Open(m);
  const Tensor a = Rows(2, 1);
  const Tensor out = Rows(2, 0);
  intmill_tensor* const inputs[] = {a, a};
  intmill_tensor* outputs[] = {out};
  MUST(intmill_session_run(s, inputs, 2, outputs, 1));
  cr_expect_eq(outputs[0], out);
  cr_expect(Floats(out) == std::vector<float>(6, 2));
}

Test(session, takes_batches_of_any_size) {
  const Model m = LoadAdd("batch");
  const Session s = Open(m);
  for (int64_t rows = 1; rows < 12; ++rows) {
    const Tensor a = Rows(rows, 1);
    intmill_tensor* const inputs[] = {a, a};
    intmill_tensor* output = nullptr;
    MUST(intmill_session_run(s, inputs, 2, &output, 1));
    const Tensor owned(output);
    cr_expect_eq(intmill_tensor_dims(output)[0], rows);
  }
}

Test(session, an_empty_batch_gives_an_empty_output) {
  const Model m = LoadAdd("batch");
  const Session s = Open(m);
  const Tensor a = Rows(0, 1);
  intmill_tensor* const inputs[] = {a, a};
  intmill_tensor* output = nullptr;
  MUST(intmill_session_run(s, inputs, 2, &output, 1));
  const Tensor owned(output);
  cr_expect_eq(intmill_tensor_dims(output)[0], 0);
}

Test(session, refuses_what_does_not_fit_and_leaves_outputs_alone) {
  const Model m = LoadAdd("batch");
  const Session s = Open(m);
  const Tensor two = Rows(2, 1);
  const Tensor three = Rows(3, 1);
  const Tensor integers = MakeTensor(INTMILL_S32, {2, 3});
  intmill_tensor* output = nullptr;
  const auto run = [&](intmill_tensor* a, intmill_tensor* b) {
    intmill_tensor* const inputs[] = {a, b};
    return intmill_session_run(s, inputs, 2, &output, 1);
  };
  REFUSED(run(two, three), kShape, "dimension 'batch'");
  REFUSED(run(two, integers), kShape, "input 'b': found s32, wanted f32");
  REFUSED(run(two, MakeFloats({1})), kShape, "input 'b': found 1, wanted ?x3");
  REFUSED(run(two, nullptr), kInvalid, "inputs[1] is NULL");
  cr_expect_null(output);
}

Test(session, refuses_wrong_counts) {
  const Model m = LoadAdd("2");
  const Session s = Open(m);
  const Tensor a = Rows(2, 1);
  intmill_tensor* const inputs[] = {a, a, a};
  intmill_tensor* outputs[] = {nullptr, nullptr};
  REFUSED(intmill_session_run(s, inputs, 3, outputs, 1), kInvalid, "3 inputs");
  REFUSED(intmill_session_run(s, inputs, 2, outputs, 2), kInvalid, "2 outputs");
  REFUSED(intmill_session_run(s, inputs, 2, outputs, 0), kInvalid, "0 outputs");
  REFUSED(intmill_session_run(s, nullptr, 2, outputs, 1), kInvalid, "inputs is NULL");
  REFUSED(intmill_session_run(s, inputs, 2, nullptr, 1), kInvalid, "outputs is NULL");
  REFUSED(intmill_session_run(nullptr, inputs, 2, outputs, 1), kInvalid, "s is NULL");
}

Test(session, refuses_outputs_on_inputs_and_of_other_shapes) {
  const Model m = LoadAdd("2");
  const Session s = Open(m);
  const Tensor a = Rows(2, 1);
  const Tensor wrong = Rows(3, 1);
  intmill_tensor* const inputs[] = {a, a};
  intmill_tensor* same[] = {a};
  intmill_tensor* other[] = {wrong};
  REFUSED(intmill_session_run(s, inputs, 2, same, 1), kInvalid, "shares memory");
  REFUSED(intmill_session_run(s, inputs, 2, other, 1), kShape, "found f32 3x3, wanted f32 2x3");
  cr_expect_eq(Floats(a)[0], 1);
}

Test(session, a_memory_limit_is_kept) {
  const Model m = LoadSample();
  const Options opts = MakeOptions("{\"memory_limit\": 1000}");
  Session s;
  const intmill_status created = intmill_session_create(m, opts, &s);
  if (created == INTMILL_OK) {
    const Tensor x = SampleBatch();
    intmill_tensor* const inputs[] = {x};
    intmill_tensor* output = nullptr;
    REFUSED(intmill_session_run(s, inputs, 1, &output, 1), INTMILL_ERROR_OUT_OF_MEMORY, "1000");
  } else {
    REFUSED(created, INTMILL_ERROR_OUT_OF_MEMORY, "1000");
  }
}

Test(session, the_profile_has_a_row_for_each_layer) {
  const Model m = LoadSample();
  const Session s = Open(m, "{\"profile\": 1, \"threads\": 1}");
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  const Tensor z = Run(s, x);
  Report r;
  MUST(intmill_session_report(s, INTMILL_REPORT_PROFILE, &r));
  cr_expect_geq(intmill_report_rows(r), 4);
  cr_expect_eq(Number(r, 0, "calls"), 2);
  cr_expect_geq(Number(r, 0, "microseconds"), 0);
  cr_expect_neq(Text(r, 0, "kernel"), "");
}

Test(session, without_profiling_there_is_no_profile) {
  const Session s = Open(LoadSample());
  Report r;
  REFUSED(intmill_session_report(s, INTMILL_REPORT_PROFILE, &r), kState, "INTMILL_OPT_PROFILE");
}

Test(session, memory_is_told_by_purpose) {
  const Model m = LoadAdd("2");
  const Session s = Open(m);
  Report r;
  MUST(intmill_session_report(s, INTMILL_REPORT_MEMORY, &r));
  cr_expect_geq(intmill_report_rows(r), 1);
  for (int64_t i = 0; i < intmill_report_rows(r); ++i) cr_expect_geq(Number(r, i, "bytes"), 0);
}

Test(session, reports_of_other_objects_are_refused) {
  const Session s = Open(LoadSample());
  Report r;
  REFUSED(intmill_session_report(s, INTMILL_REPORT_LAYERS, &r), kInvalid, "report kind 1");
  REFUSED(intmill_session_report(nullptr, INTMILL_REPORT_MEMORY, &r), kInvalid, "s is NULL");
  REFUSED(intmill_session_report(s, INTMILL_REPORT_MEMORY, nullptr), kInvalid, "out is NULL");
}

Test(session, null_arguments_are_refused) {
  const Model m = LoadSample();
  Session s;
  REFUSED(intmill_session_create(nullptr, nullptr, &s), kInvalid, "m is NULL");
  REFUSED(intmill_session_create(m, nullptr, nullptr), kInvalid, "out is NULL");
  intmill_session_release(nullptr);
}

Test(binding, runs_on_what_is_bound) {
  const Model m = LoadAdd("batch");
  const Session s = Open(m);
  Binding b;
  MUST(intmill_binding_create(s, &b));
  const Tensor a = Rows(2, 1);
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, a));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 1, a));
  MUST(intmill_binding_run(b));
  static_cast<float*>(intmill_tensor_data(a))[0] = 5;
  MUST(intmill_binding_run(b));
  Tensor out;
  MUST(intmill_binding_get(b, INTMILL_OUTPUT, 0, &out));
  cr_expect_eq(Floats(out)[0], 10);
  cr_expect_eq(Floats(out)[1], 2);
}

Test(binding, writes_a_bound_output_in_place) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  const Tensor a = Rows(2, 1);
  const Tensor out = Rows(2, 0);
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, a));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 1, a));
  MUST(intmill_binding_set(b, INTMILL_OUTPUT, 0, out));
  MUST(intmill_binding_run(b));
  cr_expect(Floats(out) == std::vector<float>(6, 2));
}

Test(binding, null_for_an_output_lets_the_binding_make_one) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  const Tensor a = Rows(2, 1);
  const Tensor out = Rows(2, 0);
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, a));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 1, a));
  MUST(intmill_binding_set(b, INTMILL_OUTPUT, 0, out));
  MUST(intmill_binding_set(b, INTMILL_OUTPUT, 0, nullptr));
  MUST(intmill_binding_run(b));
  cr_expect(Floats(out) == std::vector<float>(6, 0));
}

Test(binding, what_is_bound_outlives_its_handle) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  {
    const Tensor a = Rows(2, 1);
    MUST(intmill_binding_set(b, INTMILL_INPUT, 0, a));
    MUST(intmill_binding_set(b, INTMILL_INPUT, 1, a));
  }
  MUST(intmill_binding_run(b));
  Tensor in;
  MUST(intmill_binding_get(b, INTMILL_INPUT, 0, &in));
  cr_expect_eq(Floats(in)[0], 1);
}

Test(binding, asks_for_what_is_missing) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  Tensor t;
  REFUSED(intmill_binding_run(b), kState, "input 0 has not been set");
  REFUSED(intmill_binding_get(b, INTMILL_INPUT, 0, &t), kState, "input 0");
  REFUSED(intmill_binding_get(b, INTMILL_OUTPUT, 0, &t), kState, "output 0");
}

Test(binding, refuses_what_does_not_fit) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  const Tensor integers = MakeTensor(INTMILL_S32, {2, 3});
  const Tensor a = Rows(2, 1);
  REFUSED(intmill_binding_set(b, INTMILL_INPUT, 0, integers), kShape, "found s32");
  REFUSED(intmill_binding_set(b, INTMILL_OUTPUT, 0, MakeFloats({1})), kShape, "output 'sum'");
  REFUSED(intmill_binding_set(b, INTMILL_INPUT, 2, a), kInvalid, "input 2");
  REFUSED(intmill_binding_set(b, INTMILL_OUTPUT, -1, a), kInvalid, "output -1");
  REFUSED(intmill_binding_set(b, static_cast<intmill_side>(3), 0, a), kInvalid, "side 3");
  REFUSED(intmill_binding_set(b, INTMILL_INPUT, 0, nullptr), kInvalid, "t is NULL");
}

Test(binding, two_sizes_of_one_dimension_are_refused_by_the_run) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, Rows(2, 1)));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 1, Rows(3, 1)));
  REFUSED(intmill_binding_run(b), kShape, "dimension 'batch'");
}

Test(binding, null_arguments_are_refused) {
  const Session s = Open(LoadAdd("batch"));
  Binding b;
  MUST(intmill_binding_create(s, &b));
  Binding none;
  Tensor t;
  REFUSED(intmill_binding_create(nullptr, &none), kInvalid, "s is NULL");
  REFUSED(intmill_binding_create(s, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_binding_set(nullptr, INTMILL_INPUT, 0, nullptr), kInvalid, "b is NULL");
  REFUSED(intmill_binding_get(nullptr, INTMILL_INPUT, 0, &t), kInvalid, "b is NULL");
  REFUSED(intmill_binding_get(b, INTMILL_INPUT, 0, nullptr), kInvalid, "out is NULL");
  REFUSED(intmill_binding_get(b, static_cast<intmill_side>(7), 0, &t), kInvalid, "side 7");
  REFUSED(intmill_binding_run(nullptr), kInvalid, "b is NULL");
  intmill_binding_release(nullptr);
}
