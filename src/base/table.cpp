// Tables as JSON and as text.
#include "base/table.h"

#include <charconv>

#include "base/json.h"

namespace intmill {
namespace {

struct JsonOf {
  std::string& out;
  void operator()(std::monostate) const { out += "null"; }
  void operator()(int64_t number) const { out += std::to_string(number); }
  void operator()(double number) const { AppendJsonNumber(out, number); }
  void operator()(const std::string& text) const { AppendJsonString(out, text); }
};

struct TextOf {
  std::string operator()(std::monostate) const { return ""; }
  std::string operator()(int64_t number) const { return std::to_string(number); }
  std::string operator()(double number) const {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, number).ptr};
  }
  std::string operator()(const std::string& text) const { return text; }
};

}  // namespace

std::string ToJson(const Table& table) {
  std::string out = "[";
  for (const std::vector<Table::Cell>& row : table.rows) {
    out += out.size() == 1 ? "{" : ", {";
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) out += ", ";
      AppendJsonString(out, table.columns[i]);
      out += ": ";
      std::visit(JsonOf{out}, i < row.size() ? row[i] : Table::Cell());
    }
    out += "}";
  }
  return out + "]";
}

std::string ToText(const Table::Cell& cell) { return std::visit(TextOf{}, cell); }

}  // namespace intmill
