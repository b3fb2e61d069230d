// A strict reader of JSON for small, nested objects of scalars; it builds no tree.
#ifndef INTMILL_CAPI_JSON_READER_H
#define INTMILL_CAPI_JSON_READER_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "capi/option_table.h"

namespace intmill::capi {

// Walks the text once. Errors are kBadFormat and begin with the line and the column.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  // Calls visit(key) with the reader in front of the key's value, which visit must read. The depth
  // of nesting is that of the caller's own calls.
  Status Object(const std::function<Status(const std::string& key)>& visit);
  // A string, or a number: an integer when it is written as one and fits 64 bits.
  Result<OptionValue> Scalar();
  // Nothing but blanks is left.
  Status End();

 private:
  void SkipBlanks();
  bool Take(char c);
  Status Expect(char c, const char* where);
  Result<std::string> String();
  Status Escape(std::string& out);
  Result<uint32_t> Hex4();
  Result<OptionValue> Number();
  Status Wrong(std::string_view what) const;

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace intmill::capi

#endif  // INTMILL_CAPI_JSON_READER_H
