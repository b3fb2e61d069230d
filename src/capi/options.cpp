// C entries about options.
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/option_json.h"
#include "capi/option_table.h"
#include "intmill/intmill.h"

using namespace intmill;
using namespace intmill::capi;

intmill_status intmill_options_create(intmill_options** out) {
  return Create(out, []() -> Result<std::unique_ptr<intmill_options>> {
    return std::make_unique<intmill_options>();
  });
}

void intmill_options_release(intmill_options* opts) { Release(opts); }

intmill_status intmill_options_set_i64(intmill_options* opts, const char* layer, intmill_opt key,
                                       int64_t value) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(opts, "opts"));
    return opts->bag.Set(layer, key, value);
  });
}

intmill_status intmill_options_set_f64(intmill_options* opts, const char* layer, intmill_opt key,
                                       double value) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(opts, "opts"));
    return opts->bag.Set(layer, key, value);
  });
}

intmill_status intmill_options_set_str(intmill_options* opts, const char* layer, intmill_opt key,
                                       const char* value) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(opts, "opts"));
    TRY(CheckPointer(value, "value"));
    return opts->bag.Set(layer, key, std::string(value));
  });
}

intmill_status intmill_options_from_json(const char* text, intmill_options** out) {
  return Create(out, [&]() -> Result<std::unique_ptr<intmill_options>> {
    TRY(CheckPointer(text, "text"));
    auto options = std::make_unique<intmill_options>();
    ASSIGN_OR_RETURN(options->bag, OptionsFromJson(text));
    return options;
  });
}

const char* intmill_options_json(const intmill_options* opts) {
  return Get<const char*>(nullptr, [&]() -> const char* {
    if (!Alive(opts)) return nullptr;
    // An unchanged bag keeps its text: pointers given out earlier stay valid.
    if (std::string json = OptionsToJson(opts->bag); json != opts->json)
      opts->json = std::move(json);
    return opts->json.c_str();
  });
}

intmill_status intmill_options_on_log(intmill_options* opts, intmill_log_fn fn, void* user) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(opts, "opts"));
    opts->bag.log = fn;
    opts->bag.log_user = user;
    return Ok();
  });
}

intmill_status intmill_options_on_progress(intmill_options* opts, intmill_progress_fn fn,
                                           void* user) {
  return Guard([&]() -> Status {
    TRY(CheckHandle(opts, "opts"));
    opts->bag.progress = fn;
    opts->bag.progress_user = user;
    return Ok();
  });
}

intmill_status intmill_options_known(intmill_report** out) {
  return Create(out, [] { return WrapReport(KnownOptions()); });
}
