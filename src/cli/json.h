// JsonObject: builds one JSON object, its keys in the order they were added.
#ifndef INTMILL_CLI_JSON_H
#define INTMILL_CLI_JSON_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace intmill::cli {

class JsonObject {
 public:
  JsonObject& Text(std::string_view key, std::string_view value);
  JsonObject& Integer(std::string_view key, int64_t value);
  // Rounded to `decimals`; null when it is not finite.
  JsonObject& Number(std::string_view key, double value, int decimals);
  // `value` is JSON already.
  JsonObject& Raw(std::string_view key, std::string_view value);

  std::string text() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// Items that are JSON already, or numbers.
std::string JsonArray(const std::vector<std::string>& items);
std::string JsonArray(const std::vector<int64_t>& items);
std::string JsonText(std::string_view text);

// The integer of a key of an object in JSON; 0 when it has no such key.
int64_t IntegerIn(const std::string& json, const std::string& key);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_JSON_H
