// Tests of reading reports.
#include <cmath>

#include "capi/support.h"

namespace {

Report Known() {
  Report r;
  MUST(intmill_options_known(&r));
  return r;
}

}  // namespace

Test(report, has_rows_and_named_columns) {
  const Report r = Known();
  cr_expect_eq(intmill_report_columns(r), 7);
  cr_expect_str_eq(intmill_report_column(r, 0), "key");
  cr_expect_eq(intmill_report_f64(r, 0, 0), INTMILL_OPT_FORMAT);
  cr_expect_str_eq(intmill_report_str(r, 0, 0), "100");
  cr_expect_str_eq(intmill_report_str(r, 0, 1), "format");
}

Test(report, text_is_not_a_number) { cr_expect(std::isnan(intmill_report_f64(Known(), 0, 1))); }

Test(report, indices_out_of_range_answer_nothing) {
  const Report r = Known();
  const int64_t rows = intmill_report_rows(r);
  for (const int64_t row : {int64_t{-1}, rows, INT64_MAX}) {
    cr_expect_str_eq(intmill_report_str(r, row, 0), "");
    cr_expect(std::isnan(intmill_report_f64(r, row, 0)));
  }
  for (const int64_t column : {int64_t{-1}, int64_t{7}, INT64_MIN}) {
    cr_expect_str_eq(intmill_report_str(r, 0, column), "");
    cr_expect_str_eq(intmill_report_column(r, column), "");
    cr_expect(std::isnan(intmill_report_f64(r, 0, column)));
  }
}

Test(report, getters_answer_nothing_for_null) {
  cr_expect_eq(intmill_report_rows(nullptr), 0);
  cr_expect_eq(intmill_report_columns(nullptr), 0);
  cr_expect_str_eq(intmill_report_column(nullptr, 0), "");
  cr_expect_str_eq(intmill_report_str(nullptr, 0, 0), "");
  cr_expect(std::isnan(intmill_report_f64(nullptr, 0, 0)));
  cr_expect_str_eq(intmill_report_json(nullptr), "");
  intmill_report_release(nullptr);
}

Test(report, json_is_an_array_of_rows) {
  const Report r = Known();
  const std::string json = intmill_report_json(r);
  cr_expect_eq(json.find("[{\"key\": 100, \"name\": \"format\", \"type\": \"string\""), 0u, "%s",
               json.substr(0, 80).c_str());
  cr_expect_eq(json.back(), ']');
}
