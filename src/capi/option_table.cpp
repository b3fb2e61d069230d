// The option keys and the checks of their values.
#include "capi/option_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "intmill/intmill.h"
#include "tensor/shape.h"

namespace intmill::capi {
namespace {

constexpr NamedValue kFormats[] = {{"auto", 0}, {"onnx", 1}, {"intmill", 2}};
constexpr NamedValue kSchemes[] = {{"static", INTMILL_SCHEME_STATIC},
                                   {"dynamic", INTMILL_SCHEME_DYNAMIC},
                                   {"weight_only", INTMILL_SCHEME_WEIGHT_ONLY},
                                   {"fp16", INTMILL_SCHEME_FP16},
                                   {"bf16", INTMILL_SCHEME_BF16},
                                   {"bf16_compute", INTMILL_SCHEME_BF16_COMPUTE}};
constexpr NamedValue kActivations[] = {
    {"s8", INTMILL_S8}, {"u8", INTMILL_U8}, {"s16", INTMILL_S16}};
constexpr NamedValue kWeights[] = {
    {"s8", INTMILL_S8}, {"u8", INTMILL_U8}, {"s4", INTMILL_S4}, {"u4", INTMILL_U4}};
constexpr NamedValue kTargets[] = {{"vnni", INTMILL_TARGET_VNNI}, {"any", INTMILL_TARGET_ANY}};
constexpr NamedValue kCalibrations[] = {{"minmax", INTMILL_CALIBRATION_MINMAX},
                                        {"average", INTMILL_CALIBRATION_AVERAGE},
                                        {"percentile", INTMILL_CALIBRATION_PERCENTILE},
                                        {"entropy", INTMILL_CALIBRATION_ENTROPY},
                                        {"mse", INTMILL_CALIBRATION_MSE}};

constexpr NamedValue kWeightRanges[] = {{"max", INTMILL_WEIGHT_RANGE_MAX},
                                        {"mse", INTMILL_WEIGHT_RANGE_MSE}};
constexpr NamedValue kBiasCorrections[] = {{"none", INTMILL_BIAS_CORRECTION_NONE},
                                           {"data", INTMILL_BIAS_CORRECTION_DATA},
                                           {"batch_norm", INTMILL_BIAS_CORRECTION_BATCH_NORM}};

Status CheckDims(std::string_view text) {
  const auto dims = ParseDims(text);
  return dims.ok() ? Ok() : dims.status();
}

constexpr auto kInteger = OptionRow::Type::kInteger;
constexpr auto kFloat = OptionRow::Type::kFloat;
constexpr auto kString = OptionRow::Type::kString;

constexpr OptionRow kRows[] = {
    {INTMILL_OPT_FORMAT, "format", kString, false, "auto", "auto, onnx, intmill",
     "format of a model file; auto: by its first bytes, when saving intmill", 0, 0, kFormats},
    {INTMILL_OPT_DISABLE_PASSES, "disable_passes", kString, false, "", "names, comma-separated",
     "graph passes not to run; all: all that may be left out"},
    {INTMILL_OPT_DYNAMIC_DIMS,
     "dynamic_dims",
     kString,
     false,
     "",
     "name=size, comma-separated",
     "fixes named dimensions of the inputs",
     0,
     0,
     {},
     CheckDims},
    {INTMILL_OPT_SCHEME, "scheme", kInteger, true, "static",
     "static, dynamic, weight_only, fp16, bf16, bf16_compute", "how a layer is quantized", 0, 0,
     kSchemes},
    {INTMILL_OPT_WEIGHT_DTYPE, "weight_dtype", kInteger, true, "s8", "s8, u8, s4, u4",
     "type of quantized weights; 4 bits for scheme weight_only", 0, 0, kWeights},
    {INTMILL_OPT_ACTIVATION_DTYPE, "activation_dtype", kInteger, true, "u8", "s8, u8, s16",
     "type of quantized activations; s16: of the inputs of products", 0, 0, kActivations},
    {INTMILL_OPT_WEIGHT_SYMMETRIC, "weight_symmetric", kInteger, true, "1", "0, 1",
     "1: weights have zero point 0 (128 for u8)", 0, 1},
    {INTMILL_OPT_ACT_SYMMETRIC, "act_symmetric", kInteger, true, "0", "0, 1",
     "1: activations have zero point 0 (128 for u8)", 0, 1},
    {INTMILL_OPT_PER_CHANNEL, "per_channel", kInteger, true, "1", "0, 1",
     "1: one weight scale for each output channel", 0, 1},
    {INTMILL_OPT_CALIBRATION, "calibration", kInteger, true, "percentile",
     "minmax, average, percentile, entropy, mse", "how a range is chosen from what was seen", 0, 0,
     kCalibrations},
    {INTMILL_OPT_PERCENTILE, "percentile", kFloat, true, "99.999", "above 50, up to 100",
     "share of values that calibration percentile keeps, in percent", 50, 100},
    {INTMILL_OPT_SKIP, "skip", kInteger, true, "0", "0, 1", "1 leaves the layer in float", 0, 1},
    {INTMILL_OPT_TARGET, "target", kInteger, true, "vnni", "vnni, any",
     "any: 7-bit weights for output channels whose sums could saturate without VNNI", 0, 0,
     kTargets},
    {INTMILL_OPT_WEIGHT_RANGE, "weight_range", kInteger, true, "max", "max, mse",
     "where the scale of weights comes from: the largest, or the least squared error", 0, 0,
     kWeightRanges},
    {INTMILL_OPT_BIAS_CORRECTION, "bias_correction", kInteger, true, "data",
     "none, data, batch_norm", "by which means biases take back what rounded weights shift", 0, 0,
     kBiasCorrections},
    {INTMILL_OPT_EQUALIZE_CLIPS, "equalize_clips", kInteger, false, "1", "0, 1",
     "1: also channels behind a ReLU6, which gets a bound for each channel", 0, 1},
    {INTMILL_OPT_SMOOTH_ALPHA, "smooth_alpha", kFloat, false, "0", "0 to 1",
     "share of the activations' range that smoothing moves to weights; 0: searched", 0, 1},
    {INTMILL_OPT_GROUP_SIZE,
     "group_size",
     kInteger,
     true,
     "32",
     "0, or a multiple of 8 up to 65536",
     "scheme weight_only: weights with one scale; 0: those of an output channel",
     0,
     65536,
     {},
     nullptr,
     8},
    {INTMILL_OPT_GPTQ, "gptq", kInteger, true, "0", "0, 1",
     "1: scheme weight_only rounds weights by GPTQ, which needs calibration data", 0, 1},
    {INTMILL_OPT_GPTQ_DAMPING, "gptq_damping", kFloat, true, "0.01", "above 0, up to 1",
     "share of the mean square of its inputs that GPTQ adds to each", 0, 1},
    {INTMILL_OPT_GPTQ_ORDER, "gptq_order", kInteger, true, "0", "0, 1",
     "1: GPTQ rounds weights of large inputs first", 0, 1},
    {INTMILL_OPT_THREADS, "threads", kInteger, false, "0", "0 to 1024",
     "threads of one run; 0: the CPUs this process may use", 0, 1024},
    {INTMILL_OPT_MEMORY_LIMIT, "memory_limit", kInteger, false, "0", "0 or more",
     "bytes an operation may hold at once, mapped files not counted; 0: no limit", 0, INT64_MAX},
    {INTMILL_OPT_PROFILE, "profile", kInteger, false, "0", "0, 1",
     "1 measures each layer of a session", 0, 1},
    {INTMILL_OPT_REVERSE, "reverse", kInteger, false, "0", "0, 1",
     "1: sensitivity of one layer in float among integers, not the other way round", 0, 1},
    {INTMILL_OPT_REBUILD_STALE, "rebuild_stale", kInteger, false, "0", "0, 1",
     "1: a session compiled for another machine, build or thread count is compiled anew", 0, 1},
};

Status Refuse(const OptionRow& row, std::string_view found) {
  return Error(Code::kInvalidArgument, "option ", row.name, ": found ", found, ", wanted ",
               row.values);
}

const NamedValue* FindName(const OptionRow& row, std::string_view name) {
  const auto found = std::ranges::find(row.names, name, &NamedValue::name);
  return found == row.names.end() ? nullptr : &*found;
}

Result<OptionValue> CheckInteger(const OptionRow& row, const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    const NamedValue* named = FindName(row, *text);
    if (row.key == INTMILL_OPT_SCHEME && *text == "fp16_compute")
      return Error(Code::kUnsupported, "option ", row.name, ": fp16_compute, arithmetic in FP16, ",
                   "is not there; fp16 stores weights so, bf16_compute multiplies in BF16");
    if (named == nullptr) return Refuse(row, Cat("'", *text, "'"));
    return OptionValue(named->value);
  }
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr) return Refuse(row, Cat("the float ", std::get<double>(value)));
  const bool allowed = row.names.empty()
                           ? *number >= row.min && *number <= row.max && *number % row.step == 0
                           : std::ranges::count(row.names, *number, &NamedValue::value) > 0;
  if (!allowed) return Refuse(row, Cat(*number));
  return value;
}

Result<OptionValue> CheckFloat(const OptionRow& row, const OptionValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return Refuse(row, Cat("'", *text, "'"));
  const auto* integer = std::get_if<int64_t>(&value);
  const double number =
      integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value);
  // Written so that NaN is refused. The default may stand for no number at all.
  const bool allowed =
      number == std::stod(row.fallback) ||
      (number > static_cast<double>(row.min) && number <= static_cast<double>(row.max));
  if (!allowed) return Refuse(row, Cat(number));
  return OptionValue(number);
}

Result<OptionValue> CheckString(const OptionRow& row, const OptionValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return Refuse(row, "a number");
  if (!row.names.empty() && FindName(row, *text) == nullptr)
    return Refuse(row, Cat("'", *text, "'"));
  if (row.check_text != nullptr) TRY(row.check_text(*text).At(Cat("option ", row.name)));
  return value;
}

}  // namespace

const OptionRow* FindOption(int32_t key) {
  const auto found = std::ranges::find(kRows, key, &OptionRow::key);
  return found == std::end(kRows) ? nullptr : &*found;
}

const OptionRow* FindOption(std::string_view name) {
  const auto found = std::ranges::find(kRows, name, &OptionRow::name);
  return found == std::end(kRows) ? nullptr : &*found;
}

Result<OptionValue> CheckOption(const OptionRow& row, const OptionValue& value) {
  switch (row.type) {
    case kInteger:
      return CheckInteger(row, value);
    case kFloat:
      return CheckFloat(row, value);
    case kString:
      return CheckString(row, value);
  }
  return Refuse(row, "a value");
}

Table KnownOptions() {
  Table table{.columns = {"key", "name", "type", "per_layer", "values", "default", "help"},
              .rows = {}};
  constexpr const char* kTypes[] = {"integer", "float", "string"};
  for (const OptionRow& row : kRows)
    table.Add({int64_t{row.key}, std::string(row.name),
               std::string(kTypes[static_cast<size_t>(row.type)]), int64_t{row.per_layer},
               std::string(row.values), std::string(row.fallback), std::string(row.help)});
  return table;
}

std::vector<std::string> SplitNames(std::string_view text) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    std::string_view name = text.substr(begin, end - begin);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    begin = end + 1;
  }
  return names;
}

Result<std::vector<std::pair<std::string, int64_t>>> ParseDims(std::string_view text) {
  std::vector<std::pair<std::string, int64_t>> dims;
  for (const std::string& part : SplitNames(text)) {
    const size_t equals = part.rfind('=');
    int64_t size = -1;
    const char* const end = part.data() + part.size();
    if (equals != std::string::npos && equals > 0) {
      const auto parsed = std::from_chars(part.data() + equals + 1, end, size);
      if (parsed.ec != std::errc() || parsed.ptr != end) size = -1;
    }
    if (size < 0 || size > kMaxDim)
      return Error(Code::kInvalidArgument, "found '", part,
                   "', wanted name=size with a size in 0..", kMaxDim);
    dims.emplace_back(part.substr(0, equals), size);
  }
  return dims;
}

}  // namespace intmill::capi
