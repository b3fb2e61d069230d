// Writing JSON: strings and numbers appended to a text.
#ifndef INTMILL_BASE_JSON_H
#define INTMILL_BASE_JSON_H

#include <cstdint>
#include <string>
#include <string_view>

namespace intmill {

// In quotes, control characters escaped; bytes that are not UTF-8 become U+FFFD each.
void AppendJsonString(std::string& out, std::string_view text);
// The shortest text that reads back as the same number; "null" when it is not finite.
void AppendJsonNumber(std::string& out, double number);

// Bytes of the UTF-8 character at the front of `text`; 0 when there is no valid one.
int64_t Utf8Length(std::string_view text);
bool IsUtf8(std::string_view text);

}  // namespace intmill

#endif  // INTMILL_BASE_JSON_H
