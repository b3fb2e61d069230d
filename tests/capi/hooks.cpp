// Tests of progress, of cancelling, and of the log.
#include <set>

#include "capi/support.h"
#include "unit/temporary_folder.h"

namespace {

struct Heard {
  int64_t calls = 0;
  int64_t stop_at = -1;  // the call that asks to stop
  std::set<std::string> stages;
  bool in_order = true;
};

int32_t OnProgress(void* user, const intmill_progress* now) {
  auto* heard = static_cast<Heard*>(user);
  heard->stages.insert(now->stage);
  heard->in_order = heard->in_order && now->struct_size >= sizeof(intmill_progress) &&
                    now->done >= 0 && (now->total == 0 || now->done <= now->total);
  return heard->calls++ == heard->stop_at ? 1 : 0;
}

Options Listening(Heard* heard) {
  Options opts = MakeOptions("{\"threads\": 1}");
  MUST(intmill_options_on_progress(opts, OnProgress, heard));
  return opts;
}

void CountLines(void* user, int32_t level, const char* message) {
  cr_expect(level >= 0 && level <= 4);
  cr_expect_null(std::strchr(message, '\n'));
  ++*static_cast<int*>(user);
}

}  // namespace

Test(progress, is_reported_while_quantizing) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  Heard heard;
  const Options opts = Listening(&heard);
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  cr_expect_gt(heard.calls, 0);
  cr_expect(heard.in_order);
}

Test(progress, can_stop_quantizing) {
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  Heard heard{.stop_at = 0};
  const Options opts = Listening(&heard);
  Model quantized;
  REFUSED(intmill_quantize(m, probe, opts, &quantized), INTMILL_ERROR_CANCELLED, "stopped");
  cr_expect_eq(heard.calls, 1, "the hook is not asked again once it said stop");
}

Test(progress, can_stop_loading) {
  Heard heard{.stop_at = 0};
  const Options opts = Listening(&heard);
  Model m;
  REFUSED(intmill_model_load((Repository() + "/samples/data/fashion_cnn.onnx").c_str(), opts, &m),
          INTMILL_ERROR_CANCELLED, "stopped");
}

Test(progress, can_stop_saving_with_nothing_written) {
  const TemporaryFolder folder;
  const Model m = LoadSample();
  Heard heard{.stop_at = 0};
  const Options opts = Listening(&heard);
  Tensor t;
  REFUSED(intmill_model_save(m, (folder / "m.im").c_str(), opts), INTMILL_ERROR_CANCELLED,
          "'save'");
  REFUSED(intmill_model_save_memory(m, (heard.stop_at = 1, opts), &t), INTMILL_ERROR_CANCELLED,
          "'save'");
  cr_expect_eq(folder.Entries(), 0);
}

Test(progress, can_stop_creating_a_session) {
  const Model m = LoadSample();
  Heard heard{.stop_at = 0};
  const Options opts = Listening(&heard);
  Session s;
  const intmill_status created = intmill_session_create(m, opts, &s);
  if (created == INTMILL_OK) {
    // The batch is open, so that all the work is done by the first run.
    const Tensor x = SampleBatch();
    intmill_tensor* const inputs[] = {x};
    intmill_tensor* output = nullptr;
    REFUSED(intmill_session_run(s, inputs, 1, &output, 1), INTMILL_ERROR_CANCELLED, "stopped");
  } else {
    REFUSED(created, INTMILL_ERROR_CANCELLED, "stopped");
  }
}

Test(progress, null_stops_the_reports) {
  Heard heard;
  const Options opts = Listening(&heard);
  MUST(intmill_options_on_progress(opts, nullptr, nullptr));
  const Model m = LoadSample(opts);
  cr_expect_eq(heard.calls, 0);
}

Test(log, tells_which_layers_stay_in_float_and_why) {
  std::string heard;
  const Options opts =
      MakeOptions("{\"threads\": 1, \"layers\": {\"/conv1/Conv\": {\"skip\": 1}}}");
  MUST(intmill_options_on_log(
      opts,
      [](void* user, int32_t level, const char* message) {
        cr_expect_eq(level, 2);
        *static_cast<std::string*>(user) += message;
      },
      &heard));
  const Model m = LoadSample();
  const Probe probe = Calibrate(m);
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  cr_expect_eq(heard.find("layer '/conv1/Conv' (Conv) stays in float: "), 0, "%s", heard.c_str());
}

Test(log, lines_are_single) {
  int lines = 0;
  const Options opts = MakeOptions("{\"threads\": 1}");
  MUST(intmill_options_on_log(opts, CountLines, &lines));
  const Model m = LoadSample(opts);
  const Probe probe = Calibrate(m, opts);
  Model quantized;
  MUST(intmill_quantize(m, probe, opts, &quantized));
  const int before = lines;
  MUST(intmill_options_on_log(opts, nullptr, nullptr));
  Model again;
  MUST(intmill_quantize(m, probe, opts, &again));
  cr_expect_eq(lines, before, "NULL stops the log");
}
