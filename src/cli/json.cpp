// JsonObject: builds one JSON object, its keys in the order they were added.
// The only file that includes nlohmann's header, which takes seconds to compile.
#include "cli/json.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace intmill::cli {

JsonObject& JsonObject::Raw(std::string_view key, std::string_view value) {
  if (!members_.empty()) members_ += ',';
  members_ += JsonText(key);
  members_ += ':';
  members_ += value;
  return *this;
}

JsonObject& JsonObject::Text(std::string_view key, std::string_view value) {
  return Raw(key, JsonText(value));
}

JsonObject& JsonObject::Integer(std::string_view key, int64_t value) {
  return Raw(key, std::to_string(value));
}

JsonObject& JsonObject::Number(std::string_view key, double value, int decimals) {
  const double unit = std::pow(10.0, decimals);
  const double rounded = std::round(value * unit) / unit;
  return Raw(key, nlohmann::json(rounded).dump());  // null when it is not finite
}

std::string JsonArray(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += ',';
    text += item;
  }
  return "[" + text + "]";
}

std::string JsonArray(const std::vector<int64_t>& items) {
  std::vector<std::string> texts;
  texts.reserve(items.size());
  for (const int64_t item : items) texts.push_back(std::to_string(item));
  return JsonArray(texts);
}

// Bytes that are not UTF-8, as the environment may hold, become U+FFFD.
std::string JsonText(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

int64_t IntegerIn(const std::string& json, const std::string& key) {
  return nlohmann::json::parse(json).value(key, int64_t{0});
}

}  // namespace intmill::cli
