// JSON after RFC 8259, without leniency.
#include "capi/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace intmill::capi {
namespace {

void AppendUtf8(std::string& out, uint32_t code) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | (code >> 6));
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3f));
    put(0x80 | ((code >> 6) & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
size_t NumberLength(std::string_view text, bool* is_integer) {
  size_t i = 0;
  const auto digits = [&] {
    const size_t begin = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    return i - begin;
  };
  const auto take = [&](std::string_view any) {
    const bool found = i < text.size() && any.find(text[i]) != std::string_view::npos;
    if (found) ++i;
    return found;
  };
  *is_integer = true;
  take("-");
  if (!take("0") && digits() == 0) return 0;
  if (take(".")) {
    *is_integer = false;
    if (digits() == 0) return 0;
  }
  if (take("eE")) {
    *is_integer = false;
    take("+-");
    if (digits() == 0) return 0;
  }
  return i;
}

}  // namespace

Status JsonReader::Wrong(std::string_view what) const {
  const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
  const auto line = 1 + std::ranges::count(before, '\n');
  const size_t line_begin =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return Error(Code::kBadFormat, "line ", line, " column ", before.size() - line_begin + 1, ": ",
               what);
}

void JsonReader::SkipBlanks() {
  while (at_ < text_.size() &&
         std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
    ++at_;
}

bool JsonReader::Take(char c) {
  SkipBlanks();
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

Status JsonReader::Expect(char c, const char* where) {
  return Take(c) ? Ok() : Wrong(Cat("wanted '", c, "' ", where));
}

Status JsonReader::Object(const std::function<Status(const std::string&)>& visit) {
  TRY(Expect('{', "to begin an object"));
  if (Take('}')) return Ok();
  do {
    SkipBlanks();
    ASSIGN_OR_RETURN(const std::string key, String());
    TRY(Expect(':', "after a name"));
    SkipBlanks();
    TRY(visit(key));
  } while (Take(','));
  return Expect('}', "or ',' after a value");
}

Status JsonReader::End() {
  SkipBlanks();
  return at_ == text_.size() ? Ok() : Wrong("wanted nothing after the object");
}

Result<OptionValue> JsonReader::Scalar() {
  SkipBlanks();
  if (at_ < text_.size() && text_[at_] == '"') {
    ASSIGN_OR_RETURN(std::string text, String());
    return OptionValue(std::move(text));
  }
  // JSON all right, but no value of an option.
  if (at_ < text_.size() && std::string_view("{[tfn").find(text_[at_]) != std::string_view::npos)
    return Error(Code::kInvalidArgument, "found '", text_[at_],
                 "...', wanted a number or a string");
  return Number();
}

Result<OptionValue> JsonReader::Number() {
  bool is_integer = true;
  const size_t length = NumberLength(text_.substr(at_), &is_integer);
  if (length == 0) return Wrong("wanted a number or a string");
  const char* const begin = text_.data() + at_;
  const char* const end = begin + length;
  int64_t integer = 0;
  double number = 0;
  if (is_integer && std::from_chars(begin, end, integer).ec == std::errc()) {
    at_ += length;
    return OptionValue(integer);
  }
  if (std::from_chars(begin, end, number).ec != std::errc())
    return Wrong("the number is out of range");
  at_ += length;
  return OptionValue(number);
}

Result<std::string> JsonReader::String() {
  if (at_ >= text_.size() || text_[at_] != '"') return Wrong("wanted a string");
  ++at_;
  std::string out;
  while (at_ < text_.size() && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      TRY(Escape(out));
      continue;
    }
    const auto length = static_cast<size_t>(Utf8Length(text_.substr(at_)));
    if (length == 0) return Wrong("the text is not UTF-8");
    if (static_cast<unsigned char>(text_[at_]) < 0x20)
      return Wrong("a control character in a string must be escaped");
    out += text_.substr(at_, length);
    at_ += length;
  }
  if (at_ >= text_.size()) return Wrong("the string does not end");
  ++at_;
  return out;
}

Result<uint32_t> JsonReader::Hex4() {
  uint32_t code = 0;
  const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.size() < 4 || parsed.ptr != digits.data() + 4) return Wrong("wanted four hex digits");
  at_ += 4;
  return code;
}

Status JsonReader::Escape(std::string& out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  ++at_;
  const char letter = at_ < text_.size() ? text_[at_] : '\0';
  if (const size_t known = kLetters.find(letter); known != std::string_view::npos) {
    out += kMeanings[known];
    ++at_;
    return Ok();
  }
  if (letter != 'u') return Wrong("an unknown escape");
  ++at_;
  ASSIGN_OR_RETURN(uint32_t code, Hex4());
  if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_, 2) == "\\u") {
    at_ += 2;
    ASSIGN_OR_RETURN(const uint32_t low, Hex4());
    if (low < 0xdc00 || low > 0xdfff) return Wrong("half of a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xd800 && code <= 0xdfff) {
    return Wrong("half of a surrogate pair");
  }
  // Names and values end with a zero byte in C.
  if (code == 0) return Wrong("a zero character");
  AppendUtf8(out, code);
  return Ok();
}

}  // namespace intmill::capi
