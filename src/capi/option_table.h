// The one table of option keys: names, types, ranges, defaults and help all come from here.
#ifndef INTMILL_CAPI_OPTION_TABLE_H
#define INTMILL_CAPI_OPTION_TABLE_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/status.h"
#include "base/table.h"

namespace intmill::capi {

using OptionValue = std::variant<int64_t, double, std::string>;

struct NamedValue {
  const char* name;
  int64_t value;
};

struct OptionRow {
  enum class Type { kInteger, kFloat, kString };

  int32_t key;
  const char* name;  // in JSON
  Type type;
  bool per_layer;
  const char* fallback;  // as text: the name of a value where values have names
  const char* values;    // what is allowed, in words
  const char* help;
  int64_t min = 0;  // of integers without names; of floats min is excluded
  int64_t max = 0;
  std::span<const NamedValue> names = {};  // of integers: the only values; of strings: likewise
  Status (*check_text)(std::string_view text) = nullptr;
  int64_t step = 1;  // integers without names are multiples of it
};

const OptionRow* FindOption(int32_t key);
const OptionRow* FindOption(std::string_view name);

// The value as the key's type, or kInvalidArgument naming the key, what was found and what is
// wanted. An integer will do for a float, and the name of a value for an integer.
Result<OptionValue> CheckOption(const OptionRow& row, const OptionValue& value);

// key, name, type, per_layer, values, default, help
Table KnownOptions();

// "batch=8,seq=128"
Result<std::vector<std::pair<std::string, int64_t>>> ParseDims(std::string_view text);
// "a,b" without blanks around the names
std::vector<std::string> SplitNames(std::string_view text);

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_OPTION_TABLE_H
