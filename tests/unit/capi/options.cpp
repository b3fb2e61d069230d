// Tests of the option table, of the bag, of JSON in and out, and of what options turn into.
#include <cmath>
#include <criterion/criterion.h>

#include "capi/convert.h"
#include "capi/json_reader.h"
#include "capi/option_bag.h"
#include "capi/option_json.h"
#include "capi/option_table.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

OptionBag FromJson(const std::string& text) {
  Result<OptionBag> bag = OptionsFromJson(text);
  cr_assert(bag.ok(), "%s", bag.status().message().c_str());
  return *bag;
}

void ExpectRefused(const std::string& text, Code code, const std::string& part) {
  const Result<OptionBag> bag = OptionsFromJson(text);
  cr_assert_not(bag.ok(), "%s", text.c_str());
  cr_expect_eq(bag.status().code(), code, "%s: code %d", text.c_str(),
               static_cast<int>(bag.status().code()));
  cr_expect_neq(bag.status().message().find(part), std::string::npos, "%s: %s", text.c_str(),
                bag.status().message().c_str());
}

void ExpectRoundTrip(const std::string& text) {
  cr_expect_eq(OptionsToJson(FromJson(text)), text, "found %s",
               OptionsToJson(FromJson(text)).c_str());
}

}  // namespace

Test(table, keys_and_names_are_unique) {
  const Table known = KnownOptions();
  for (size_t i = 0; i < known.rows.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      cr_expect(known.rows[i][0] != known.rows[j][0]);
      cr_expect(known.rows[i][1] != known.rows[j][1]);
    }
}

Test(table, every_default_is_a_value_that_its_key_takes) {
  for (const auto& cells : KnownOptions().rows) {
    const std::string& name = std::get<std::string>(cells[1]);
    const OptionRow* row = FindOption(std::string_view(name));
    OptionValue fallback = std::string(row->fallback);
    if (row->type != OptionRow::Type::kString && row->names.empty())
      fallback = std::stod(row->fallback);
    if (row->type == OptionRow::Type::kInteger && row->names.empty())
      fallback = int64_t{std::stol(row->fallback)};
    cr_expect(CheckOption(*row, fallback).ok(), "%s", name.c_str());
  }
}

Test(json, an_empty_object_is_an_empty_bag) { ExpectRoundTrip("{}"); }

Test(json, what_was_set_reads_back) {
  ExpectRoundTrip("{\"calibration\": \"entropy\", \"threads\": 2, \"percentile\": 99.5}");
  ExpectRoundTrip("{\"layers\": {\"block3.*\": {\"skip\": 1}}}");
  ExpectRoundTrip(
      "{\"threads\": 2, \"layers\": {\"a\": {\"skip\": 1, \"scheme\": \"dynamic\"}, "
      "\"b\": {\"skip\": 0}}}");
}

Test(json, the_order_of_layers_survives) {
  OptionBag bag;
  cr_assert(bag.Set("a*", INTMILL_OPT_SKIP, int64_t{1}).ok());
  cr_assert(bag.Set("ab", INTMILL_OPT_SKIP, int64_t{0}).ok());
  cr_assert(bag.Set("a*", INTMILL_OPT_SCHEME, int64_t{2}).ok());
  ExpectRoundTrip(OptionsToJson(bag));
  const SchemeTable schemes = ToSchemes(FromJson(OptionsToJson(bag)));
  cr_expect_not(schemes.For("ab").skip);
  cr_expect_eq(static_cast<int>(schemes.For("ab").scheme), 2);
}

Test(json, names_are_escaped) { ExpectRoundTrip("{\"layers\": {\"a\\\"b\\\\\": {\"skip\": 1}}}"); }

Test(json, blanks_and_escapes_are_read) {
  const OptionBag bag = FromJson(" {\n\t\"format\" : \"\\u006fnnx\" }\r\n");
  cr_expect_eq(bag.Text(INTMILL_OPT_FORMAT), "onnx");
}

Test(json, surrogate_pairs_are_one_character) {
  const OptionBag bag = FromJson("{\"disable_passes\": \"\\ud83d\\ude00\"}");
  cr_expect_eq(bag.Text(INTMILL_OPT_DISABLE_PASSES), "\U0001f600");
}

Test(json, errors_give_line_and_column) {
  ExpectRefused("", Code::kBadFormat, "line 1 column 1: wanted '{'");
  ExpectRefused("{\n  \"threads\": 2,\n}", Code::kBadFormat, "line 3 column 1: wanted a string");
}

Test(json, what_is_not_json_is_refused) {
  ExpectRefused("[]", Code::kBadFormat, "wanted '{'");
  ExpectRefused("{\"threads\": 2", Code::kBadFormat, "wanted '}'");
  ExpectRefused("{\"threads\" 2}", Code::kBadFormat, "wanted ':'");
  ExpectRefused("{\"threads\": 2} x", Code::kBadFormat, "nothing after");
  ExpectRefused("{\"threads\": 02}", Code::kBadFormat, "wanted '}'");
  ExpectRefused("{\"threads\": +2}", Code::kBadFormat, "wanted a number");
  ExpectRefused("{\"threads\": 2.}", Code::kBadFormat, "wanted a number");
  ExpectRefused("{\"threads\": 1e}", Code::kBadFormat, "wanted a number");
  ExpectRefused("{\"percentile\": 1e999}", Code::kBadFormat, "out of range");
  ExpectRefused("{'threads': 2}", Code::kBadFormat, "wanted a string");
}

Test(json, broken_strings_are_refused) {
  ExpectRefused("{\"a", Code::kBadFormat, "does not end");
  ExpectRefused("{\"a\\", Code::kBadFormat, "unknown escape");
  ExpectRefused("{\"a\\x\": 1}", Code::kBadFormat, "unknown escape");
  ExpectRefused("{\"a\n\": 1}", Code::kBadFormat, "control character");
  ExpectRefused("{\"\xff\": 1}", Code::kBadFormat, "not UTF-8");
  ExpectRefused("{\"\\u00\": 1}", Code::kBadFormat, "four hex digits");
  ExpectRefused("{\"\\ud800\": 1}", Code::kBadFormat, "surrogate");
  ExpectRefused("{\"\\u0000\": 1}", Code::kBadFormat, "zero character");
}

Test(json, unknown_names_are_named) {
  ExpectRefused("{\"treads\": 2}", Code::kInvalidArgument, "option 'treads' is not known");
}

Test(json, values_of_other_types_are_named) {
  ExpectRefused("{\"threads\": true}", Code::kInvalidArgument, "option threads: found 't...'");
  ExpectRefused("{\"threads\": [1]}", Code::kInvalidArgument, "option threads");
  ExpectRefused("{\"threads\": \"two\"}", Code::kInvalidArgument,
                "option threads: found 'two', wanted 0 to 1024");
  ExpectRefused("{\"threads\": 2.5}", Code::kInvalidArgument, "found the float 2.5");
  ExpectRefused("{\"format\": 1}", Code::kInvalidArgument, "option format: found a number");
}

Test(json, a_key_of_the_whole_model_is_refused_for_a_layer) {
  ExpectRefused("{\"layers\": {\"a\": {\"threads\": 1}}}", Code::kInvalidArgument,
                "option threads cannot be set for layer 'a'");
}

Test(json, deep_nesting_is_refused_without_recursion) {
  ExpectRefused(std::string(1000000, '{'), Code::kBadFormat, "wanted a string");
  ExpectRefused("{\"layers\": {\"a\": {\"b\": {}}}}", Code::kInvalidArgument, "'b' is not known");
}

Test(bag, limits_are_inside_and_what_lies_beyond_is_not) {
  OptionBag bag;
  cr_expect(bag.Set(nullptr, INTMILL_OPT_THREADS, int64_t{1024}).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_THREADS, int64_t{1025}).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_THREADS, int64_t{-1}).ok());
  cr_expect(bag.Set(nullptr, INTMILL_OPT_PERCENTILE, int64_t{100}).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_PERCENTILE, 50.0).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_PERCENTILE, std::nan("")).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_WEIGHT_DTYPE, int64_t{INTMILL_F32}).ok());
  cr_expect_not(bag.Set(nullptr, INTMILL_OPT_FORMAT, std::string("tflite")).ok());
}

Test(bag, a_refused_value_changes_nothing) {
  OptionBag bag;
  cr_assert(bag.Set(nullptr, INTMILL_OPT_THREADS, int64_t{3}).ok());
  cr_assert_not(bag.Set(nullptr, INTMILL_OPT_THREADS, int64_t{9999}).ok());
  cr_expect_eq(bag.Integer(INTMILL_OPT_THREADS), 3);
}

Test(bag, defaults_are_those_of_the_layers_below) {
  const LayerScheme wanted;
  const LayerScheme found = ToScheme(OptionBag());
  cr_expect_eq(found.scheme, wanted.scheme);
  cr_expect_eq(found.percentile, wanted.percentile);
  for (const auto& cells : KnownOptions().rows)
    if (std::get<std::string>(cells[1]) == "percentile")
      cr_expect_eq(std::stod(std::get<std::string>(cells[5])), wanted.percentile);
}

Test(convert, a_layer_counts_more_than_the_model_whatever_came_first) {
  OptionBag bag;
  cr_assert(bag.Set("conv?", INTMILL_OPT_SKIP, int64_t{1}).ok());
  cr_assert(bag.Set(nullptr, INTMILL_OPT_SKIP, int64_t{0}).ok());
  const SchemeTable schemes = ToSchemes(bag);
  cr_expect(schemes.For("conv1").skip);
  cr_expect_not(schemes.For("fc").skip);
  cr_expect_not(ToScheme(bag).skip);
}

Test(convert, every_layer_option_reaches_its_scheme) {
  const LayerScheme s = ToScheme(
      FromJson("{\"scheme\": \"dynamic\", \"weight_dtype\": \"u8\", \"activation_dtype\": \"s8\", "
               "\"weight_symmetric\": 0, \"act_symmetric\": 1, \"per_channel\": 0, "
               "\"calibration\": \"mse\", \"percentile\": 99, \"skip\": 1}"));
  cr_expect_eq(s.scheme, Scheme::kDynamicRanges);
  cr_expect_eq(s.weight_dtype, DType::kU8);
  cr_expect_eq(s.activation_dtype, DType::kS8);
  cr_expect_not(s.weight_symmetric);
  cr_expect(s.activation_symmetric);
  cr_expect_not(s.per_channel);
  cr_expect_eq(s.calibration, Calibration::kMse);
  cr_expect_eq(s.percentile, 99);
  cr_expect(s.skip);
}

Test(convert, load_options_have_format_dims_and_passes) {
  const Result<LoadOptions> options =
      ToLoadOptions(FromJson("{\"format\": \"intmill\", \"dynamic_dims\": \"batch=8, seq=128\", "
                             "\"disable_passes\": \"fuse_bias,prune\"}"));
  cr_assert(options.ok());
  cr_expect_eq(options->kind, FileKind::kIntmill);
  cr_expect_eq(options->dims.at("batch"), 8);
  cr_expect_eq(options->dims.at("seq"), 128);
  cr_expect(options->passes.disabled == std::vector<std::string>({"fuse_bias", "prune"}));
}

Test(convert, dims_without_a_size_are_refused) {
  for (const char* text : {"batch", "batch=", "=8", "batch=-1", "batch=8x", "batch=9999999999"})
    cr_expect_eq(ParseDims(text).status().code(), Code::kInvalidArgument, "%s", text);
}

Test(convert, session_options_are_the_models_own) {
  const SessionOptions options =
      ToSessionOptions(FromJson("{\"threads\": 3, \"memory_limit\": 1000, \"profile\": 1}"));
  cr_expect_eq(options.threads, 3);
  cr_expect_eq(options.memory_limit, 1000);
  cr_expect(options.profile);
}

Test(convert, what_passes_compute_is_bounded_by_the_memory_limit) {
  cr_expect_eq(ToPassOptions(FromJson("{\"memory_limit\": 1000}")).fold_limit_bytes, 1000);
  cr_expect_eq(ToPassOptions(FromJson("{}")).fold_limit_bytes, PassOptions().fold_limit_bytes);
}
