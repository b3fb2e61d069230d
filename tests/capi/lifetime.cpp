// Tests of who keeps what alive: objects are released in any order.
#include "capi/support.h"

namespace {

struct Chain {
  intmill_model* model = nullptr;
  intmill_model* quantized = nullptr;
  intmill_probe* probe = nullptr;
  intmill_session* session = nullptr;
  intmill_binding* binding = nullptr;
  intmill_tensor* input = nullptr;
  intmill_tensor* output = nullptr;
  intmill_report* report = nullptr;

  Chain() {
    model = LoadSample().Give();
    probe = Calibrate(model).Give();
    MUST(intmill_quantize(model, probe, nullptr, &quantized));
    session = Open(quantized).Give();
    MUST(intmill_binding_create(session, &binding));
    input = SampleBatch().Give();
    MUST(intmill_binding_set(binding, INTMILL_INPUT, 0, input));
    MUST(intmill_binding_run(binding));
    MUST(intmill_binding_get(binding, INTMILL_OUTPUT, 0, &output));
    MUST(intmill_session_report(session, INTMILL_REPORT_MEMORY, &report));
  }
};

}  // namespace

Test(lifetime, first_made_first_released) {
  const Chain c;
  intmill_model_release(c.model);
  intmill_probe_release(c.probe);
  intmill_model_release(c.quantized);
  intmill_session_release(c.session);
  intmill_tensor_release(c.input);
  MUST(intmill_binding_run(c.binding));
  intmill_binding_release(c.binding);
  cr_expect_eq(Floats(c.output).size(), 40u);
  intmill_tensor_release(c.output);
  cr_expect_geq(intmill_report_rows(c.report), 1);
  intmill_report_release(c.report);
}

Test(lifetime, last_made_first_released) {
  const Chain c;
  intmill_report_release(c.report);
  intmill_tensor_release(c.output);
  intmill_tensor_release(c.input);
  intmill_binding_release(c.binding);
  intmill_session_release(c.session);
  intmill_model_release(c.quantized);
  intmill_probe_release(c.probe);
  intmill_model_release(c.model);
}

Test(lifetime, a_session_runs_when_its_model_is_gone) {
  intmill_model* m = LoadSample().Give();
  const Session s = Open(m);
  intmill_model_release(m);
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  cr_expect_eq(intmill_tensor_bytes(y), 160);
}

Test(lifetime, options_are_not_needed_after_the_call) {
  const Model m = LoadSample();
  intmill_options* opts = MakeOptions("{\"threads\": 2}").Give();
  Session s;
  MUST(intmill_session_create(m, opts, &s));
  intmill_options_release(opts);
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  cr_expect_eq(intmill_tensor_bytes(y), 160);
}

Test(lifetime, an_output_keeps_its_memory_when_the_binding_makes_another) {
  const Session s = Open(LoadSample());
  Binding b;
  MUST(intmill_binding_create(s, &b));
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, SampleBatch(2)));
  MUST(intmill_binding_run(b));
  Tensor small;
  MUST(intmill_binding_get(b, INTMILL_OUTPUT, 0, &small));
  const std::vector<float> before = Floats(small);
  MUST(intmill_binding_set(b, INTMILL_INPUT, 0, SampleBatch(3)));
  MUST(intmill_binding_run(b));
  cr_expect(Floats(small) == before);
  Tensor large;
  MUST(intmill_binding_get(b, INTMILL_OUTPUT, 0, &large));
  cr_expect_eq(intmill_tensor_dims(large)[0], 3);
}
