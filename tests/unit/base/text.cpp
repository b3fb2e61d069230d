// Tests of JSON, tables, globs, checked arithmetic and status messages.
#include <cmath>
#include <criterion/criterion.h>
#include <limits>
#include <string>

#include "base/checked.h"
#include "base/glob.h"
#include "base/hooks.h"
#include "base/json.h"
#include "base/status.h"
#include "base/table.h"

using namespace intmill;

namespace {

void ExpectJsonString(const std::string& text, const std::string& wanted) {
  std::string out;
  AppendJsonString(out, text);
  cr_expect_eq(out, wanted, "found %s, wanted %s", out.c_str(), wanted.c_str());
}

std::string JsonNumber(double number) {
  std::string out;
  AppendJsonNumber(out, number);
  return out;
}

Result<int> Half(int n) {
  if (n % 2 != 0) return Error(Code::kInvalidArgument, "found ", n, ", wanted an even number");
  return n / 2;
}

Result<int> Quarter(int n) {
  ASSIGN_OR_RETURN(const int half, Half(n));
  return Half(half).At("half");
}

}  // namespace

Test(json, escapes_quotes_backslashes_and_control_characters) {
  ExpectJsonString("a\"b\\c\n\x1b", "\"a\\\"b\\\\c\\u000a\\u001b\"");
}

Test(json, keeps_valid_utf8) {
  ExpectJsonString("\u00e9\u20ac\U0001f600", "\"\u00e9\u20ac\U0001f600\"");
}

Test(json, replaces_bytes_that_are_not_utf8) {
  ExpectJsonString("a\xff", "\"a\ufffd\"");
  ExpectJsonString("\xc0\xaf", "\"\ufffd\ufffd\"");
  ExpectJsonString("\xe2\x82", "\"\ufffd\ufffd\"");
}

Test(utf8, refuses_surrogates_overlong_forms_and_large_code_points) {
  cr_expect_not(IsUtf8("\xed\xa0\x80"));
  cr_expect_not(IsUtf8("\xe0\x80\xaf"));
  cr_expect_not(IsUtf8("\xf4\x90\x80\x80"));
  cr_expect(IsUtf8("\xf4\x8f\xbf\xbf"));
}

Test(json, numbers_are_short_and_exact) {
  cr_expect_eq(JsonNumber(0.1), "0.1");
  cr_expect_eq(JsonNumber(-2), "-2");
  cr_expect_eq(JsonNumber(std::numeric_limits<double>::infinity()), "null");
  cr_expect_eq(JsonNumber(std::nan("")), "null");
}

Test(table, is_an_array_of_objects) {
  Table table{.columns = {"name", "n", "x", "none"}, .rows = {}};
  table.Add({std::string("a"), int64_t{1}, 0.5, {}});
  table.Add({std::string("b"), int64_t{2}, std::nan(""), {}});
  cr_expect_eq(ToJson(table),
               "[{\"name\": \"a\", \"n\": 1, \"x\": 0.5, \"none\": null}, "
               "{\"name\": \"b\", \"n\": 2, \"x\": null, \"none\": null}]");
}

Test(table, without_rows_is_an_empty_array) {
  cr_expect_eq(ToJson(Table{.columns = {"a"}, .rows = {}}), "[]");
}

Test(table, cells_are_text_for_people) {
  cr_expect_eq(ToText(int64_t{-3}), "-3");
  cr_expect_eq(ToText(0.25), "0.25");
  cr_expect_eq(ToText(std::string("x")), "x");
  cr_expect_eq(ToText({}), "");
}

Test(glob, a_star_is_any_text) {
  cr_expect(GlobMatches("block3.*", "block3.conv1"));
  cr_expect(GlobMatches("*", ""));
  cr_expect(GlobMatches("a*b*c", "a--b--b--c"));
  cr_expect_not(GlobMatches("block3.*", "block30conv"));
}

Test(glob, a_question_mark_is_one_character) {
  cr_expect(GlobMatches("conv?", "conv1"));
  cr_expect_not(GlobMatches("conv?", "conv"));
  cr_expect_not(GlobMatches("conv?", "conv12"));
}

Test(glob, the_whole_text_must_match) {
  cr_expect_not(GlobMatches("conv", "conv1"));
  cr_expect_not(GlobMatches("*conv", "conv1"));
  cr_expect_not(GlobMatches("", "a"));
}

Test(glob, many_stars_take_little_time, .timeout = 5) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "a*";
  cr_expect_not(GlobMatches(pattern + "b", std::string(2000, 'a')));
}

Test(checked, overflow_is_noticed) {
  int64_t out = 0;
  cr_expect_not(MulFits(INT64_MAX, 2, &out));
  cr_expect_not(AddFits(INT64_MAX, 1, &out));
  cr_expect_not(SubFits(INT64_MIN, 1, &out));
  cr_expect_not(AlignUpFits(INT64_MAX, 64, &out));
  cr_expect_not(AlignUpFits(-1, 64, &out));
  cr_expect(AlignUpFits(65, 64, &out));
  cr_expect_eq(out, 128);
}

Test(status, the_place_stands_in_front_of_the_cause) {
  const Result<int> result = Quarter(6);
  cr_expect_eq(result.status().message(), "half: found 3, wanted an even number");
}

Test(status, errors_pass_through_assign_or_return) {
  cr_expect_eq(Quarter(5).status().code(), Code::kInvalidArgument);
  cr_expect_eq(*Quarter(8), 2);
}

Test(hooks, a_progress_hook_that_says_no_cancels) {
  const Hooks hooks{.log = {},
                    .progress = [](const char*, int64_t done, int64_t) { return done < 2; }};
  cr_expect(hooks.Progress("work", 1, 3).ok());
  cr_expect_eq(hooks.Progress("work", 2, 3).code(), Code::kCancelled);
  cr_expect(Hooks().Progress("work", 9, 9).ok());
}
