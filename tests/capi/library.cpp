// Tests of the library's own entries: version, errors, instruction sets, doctor.
#include <thread>

#include "capi/support.h"

Test(library, knows_its_version) { cr_expect_eq(intmill_version(), INTMILL_VERSION); }

Test(library, build_info_names_the_library_and_onednn) {
  const std::string info = intmill_build_info();
  cr_expect_eq(info.find("intmill 0.1.0, "), 0u, "%s", info.c_str());
  cr_expect_neq(info.find("oneDNN "), std::string::npos);
  cr_expect_neq(info.find("built with"), std::string::npos);
}

Test(last_error, is_empty_before_anything_failed) { cr_expect_str_eq(intmill_last_error(), ""); }

Test(last_error, is_left_alone_by_a_call_that_succeeds) {
  REFUSED(intmill_options_create(nullptr), kInvalid, "out is NULL");
  const std::string before = intmill_last_error();
  const Options opts = MakeOptions();
  cr_expect_str_eq(intmill_last_error(), before.c_str());
}

Test(last_error, belongs_to_its_thread) {
  REFUSED(intmill_options_create(nullptr), kInvalid, "out is NULL");
  std::string other = "not asked";
  std::thread([&] { other = intmill_last_error(); }).join();
  cr_expect_eq(other, "");
}

Test(last_error, is_one_line_of_text_whatever_the_names_hold) {
  Model m;
  REFUSED(intmill_model_load("no\nsuch\x1b[31m\xff", nullptr, &m), INTMILL_ERROR_IO, "no such");
  const std::string message = intmill_last_error();
  cr_expect_eq(message.find('\x1b'), std::string::npos);
  cr_expect_neq(message.find("\xef\xbf\xbd"), std::string::npos, "%s", message.c_str());
}

Test(status_name, is_the_name_of_the_enumerator) {
  cr_expect_str_eq(intmill_status_name(INTMILL_OK), "INTMILL_OK");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_INVALID_ARGUMENT),
                   "INTMILL_ERROR_INVALID_ARGUMENT");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_OUT_OF_MEMORY), "INTMILL_ERROR_OUT_OF_MEMORY");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_IO), "INTMILL_ERROR_IO");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_BAD_FORMAT), "INTMILL_ERROR_BAD_FORMAT");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_BAD_VERSION), "INTMILL_ERROR_BAD_VERSION");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_UNSUPPORTED), "INTMILL_ERROR_UNSUPPORTED");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_SHAPE), "INTMILL_ERROR_SHAPE");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_STATE), "INTMILL_ERROR_STATE");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_CANCELLED), "INTMILL_ERROR_CANCELLED");
  cr_expect_str_eq(intmill_status_name(INTMILL_ERROR_INTERNAL), "INTMILL_ERROR_INTERNAL");
}

Test(status_name, other_numbers_are_unknown) {
  cr_expect_str_eq(intmill_status_name(static_cast<intmill_status>(55)), "INTMILL_STATUS_UNKNOWN");
}

Test(isa, a_number_that_is_not_listed_is_refused) {
  REFUSED(intmill_isa_limit(static_cast<intmill_isa>(12)), kInvalid, "instruction set 12");
}

Test(isa, a_limit_set_first_is_the_one_in_force) {
  MUST(intmill_isa_limit(INTMILL_ISA_BASELINE));
  Report r;
  MUST(intmill_doctor(&r));
  cr_expect_eq(Text(r, Row(r, "isa_effective"), "value"), "baseline");
  if (intmill_isa_detected() != INTMILL_ISA_BASELINE)
    cr_expect_neq(Text(r, Row(r, "isa_effective"), "note"), "");
}

Test(isa, a_limit_after_the_first_kernel_is_a_matter_of_state) {
  const Model m = LoadSample();
  const Session s = Open(m);
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  REFUSED(intmill_isa_limit(INTMILL_ISA_BASELINE), kState, "kernels were built already");
}

Test(isa, outputs_under_a_limit_are_close_to_those_without) {
  MUST(intmill_isa_limit(INTMILL_ISA_BASELINE));
  const Model m = LoadSample();
  const Session s = Open(m);
  const Tensor x = SampleBatch();
  const Tensor y = Run(s, x);
  for (const float value : Floats(y)) cr_expect(value == value, "a score is NaN");
}

Test(doctor, has_the_documented_keys) {
  Report r;
  MUST(intmill_doctor(&r));
  for (const char* key : {"version", "cpu", "isa_detected", "isa_effective", "onednn_version",
                          "onednn_threading", "caches", "cpus", "threads", "write_execute"})
    cr_expect_geq(Row(r, key), 0, "%s", key);
  cr_expect_eq(Text(r, Row(r, "version"), "value"), "0.1.0");
}

Test(doctor, without_out_is_refused) { REFUSED(intmill_doctor(nullptr), kInvalid, "out is NULL"); }
