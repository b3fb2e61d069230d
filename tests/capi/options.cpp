// Tests of the options entries.
#include "capi/support.h"

namespace {

const intmill_opt kUnknownKey = static_cast<intmill_opt>(999);

}  // namespace

Test(options, an_empty_bag_is_an_empty_object) {
  Options opts;
  MUST(intmill_options_create(&opts));
  cr_expect_str_eq(intmill_options_json(opts), "{}");
}

Test(options, values_are_set_by_number_and_by_name) {
  const Options opts = MakeOptions();
  MUST(intmill_options_set_i64(opts, nullptr, INTMILL_OPT_THREADS, 4));
  MUST(intmill_options_set_f64(opts, nullptr, INTMILL_OPT_PERCENTILE, 99.5));
  MUST(intmill_options_set_str(opts, nullptr, INTMILL_OPT_CALIBRATION, "entropy"));
  MUST(intmill_options_set_i64(opts, "conv*", INTMILL_OPT_SCHEME, INTMILL_SCHEME_DYNAMIC));
  cr_expect_str_eq(intmill_options_json(opts),
                   "{\"threads\": 4, \"percentile\": 99.5, \"calibration\": \"entropy\", "
                   "\"layers\": {\"conv*\": {\"scheme\": \"dynamic\"}}}");
}

Test(options, an_integer_will_do_for_a_float) {
  const Options opts = MakeOptions();
  MUST(intmill_options_set_i64(opts, nullptr, INTMILL_OPT_PERCENTILE, 99));
}

Test(options, a_float_will_not_do_for_an_integer) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_f64(opts, nullptr, INTMILL_OPT_THREADS, 4), kInvalid,
          "option threads");
}

Test(options, unknown_keys_are_refused) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_i64(opts, nullptr, kUnknownKey, 1), kInvalid, "option key 999");
  REFUSED(intmill_options_set_f64(opts, nullptr, kUnknownKey, 1), kInvalid, "option key 999");
  REFUSED(intmill_options_set_str(opts, nullptr, kUnknownKey, "x"), kInvalid, "option key 999");
}

Test(options, values_out_of_range_are_refused) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_i64(opts, nullptr, INTMILL_OPT_THREADS, 1025), kInvalid,
          "found 1025, wanted 0 to 1024");
  REFUSED(intmill_options_set_f64(opts, nullptr, INTMILL_OPT_PERCENTILE, 50), kInvalid, "above 50");
  REFUSED(intmill_options_set_str(opts, nullptr, INTMILL_OPT_CALIBRATION, "median"), kInvalid,
          "found 'median'");
  REFUSED(intmill_options_set_str(opts, nullptr, INTMILL_OPT_DYNAMIC_DIMS, "batch"), kInvalid,
          "name=size");
  cr_expect_str_eq(intmill_options_json(opts), "{}");
}

Test(options, layers_are_for_keys_that_know_layers) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_i64(opts, "conv1", INTMILL_OPT_THREADS, 1), kInvalid,
          "only for the whole model");
  REFUSED(intmill_options_set_i64(opts, "", INTMILL_OPT_SKIP, 1), kInvalid, "name is empty");
}

Test(options, text_must_be_utf8) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_str(opts, nullptr, INTMILL_OPT_DISABLE_PASSES, "\xff"), kInvalid,
          "not UTF-8");
  REFUSED(intmill_options_set_i64(opts, "\xff", INTMILL_OPT_SKIP, 1), kInvalid, "not UTF-8");
}

Test(options, null_arguments_are_refused) {
  const Options opts = MakeOptions();
  REFUSED(intmill_options_set_i64(nullptr, nullptr, INTMILL_OPT_THREADS, 1), kInvalid,
          "opts is NULL");
  REFUSED(intmill_options_set_f64(nullptr, nullptr, INTMILL_OPT_THREADS, 1), kInvalid,
          "opts is NULL");
  REFUSED(intmill_options_set_str(nullptr, nullptr, INTMILL_OPT_THREADS, "1"), kInvalid,
          "opts is NULL");
  REFUSED(intmill_options_set_str(opts, nullptr, INTMILL_OPT_FORMAT, nullptr), kInvalid,
          "value is NULL");
  REFUSED(intmill_options_on_log(nullptr, nullptr, nullptr), kInvalid, "opts is NULL");
  REFUSED(intmill_options_on_progress(nullptr, nullptr, nullptr), kInvalid, "opts is NULL");
  REFUSED(intmill_options_known(nullptr), kInvalid, "out is NULL");
  cr_expect_null(intmill_options_json(nullptr));
  intmill_options_release(nullptr);
}

Test(options, json_reads_back_what_it_wrote) {
  const char* text = "{\"calibration\": \"mse\", \"layers\": {\"a\": {\"skip\": 1}}}";
  const Options opts = MakeOptions(text);
  cr_expect_str_eq(intmill_options_json(opts), text);
}

Test(options, bad_json_gives_line_and_column) {
  intmill_options* opts = reinterpret_cast<intmill_options*>(1);
  REFUSED(intmill_options_from_json("{\n\"threads\": }", &opts), INTMILL_ERROR_BAD_FORMAT,
          "line 2 column 12");
  cr_expect_null(opts, "a failing call leaves NULL behind");
}

Test(options, good_json_with_bad_values_names_the_option) {
  Options opts;
  REFUSED(intmill_options_from_json("{\"threads\": -1}", &opts), kInvalid, "option threads");
  REFUSED(intmill_options_from_json("{\"speed\": 1}", &opts), kInvalid, "option 'speed'");
  REFUSED(intmill_options_from_json(nullptr, &opts), kInvalid, "text is NULL");
}

Test(options, the_known_ones_are_listed_with_help) {
  Report r;
  MUST(intmill_options_known(&r));
  cr_expect_geq(intmill_report_rows(r), 15);
  bool found = false;
  for (int64_t i = 0; i < intmill_report_rows(r); ++i) {
    cr_expect_neq(Text(r, i, "help"), "");
    if (Text(r, i, "name") != "calibration") continue;
    found = true;
    cr_expect_eq(Number(r, i, "key"), INTMILL_OPT_CALIBRATION);
    cr_expect_eq(Number(r, i, "per_layer"), 1);
    cr_expect_eq(Text(r, i, "default"), "percentile");
  }
  cr_expect(found);
}

Test(options, a_stale_bag_is_noticed) {
  intmill_options* opts = nullptr;
  MUST(intmill_options_create(&opts));
  Tensor not_options = MakeFloats({1});
  REFUSED(intmill_options_set_i64(
              reinterpret_cast<intmill_options*>(static_cast<intmill_tensor*>(not_options)),
              nullptr, INTMILL_OPT_THREADS, 1),
          kInvalid, "opts is not options");
  intmill_options_release(opts);
}

Test(options, the_text_of_an_unchanged_bag_stays_where_it_is) {
  const Options opts = MakeOptions("{\"threads\": 2}");
  const char* first = intmill_options_json(opts);
  cr_expect_eq(intmill_options_json(opts), first);
  cr_expect_str_eq(first, "{\"threads\": 2}");
}
