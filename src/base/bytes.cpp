// ByteWriter and ByteReader.
#include "base/bytes.h"

#include <bit>

namespace intmill {

void ByteWriter::Unsigned(uint64_t value) {
  for (; value >= 0x80; value >>= 7) Byte(static_cast<uint8_t>(value | 0x80));
  Byte(static_cast<uint8_t>(value));
}

void ByteWriter::Signed(int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  Unsigned(bits << 1 ^ (value < 0 ? ~uint64_t{0} : 0));
}

void ByteWriter::Float(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) Byte(static_cast<uint8_t>(bits >> shift));
}

void ByteWriter::Text(std::string_view text) {
  Unsigned(text.size());
  for (const char c : text) Byte(static_cast<uint8_t>(c));
}

Result<uint8_t> ByteReader::Byte() {
  if (rest_.empty()) return Error(Code::kBadFormat, "the content ends too early");
  const auto value = std::to_integer<uint8_t>(rest_.front());
  rest_ = rest_.subspan(1);
  return value;
}

Result<uint64_t> ByteReader::Number() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    ASSIGN_OR_RETURN(const uint8_t byte, Byte());
    const uint64_t part = byte & 0x7f;
    if (shift == 63 && part > 1) break;
    value |= part << shift;
    if ((byte & 0x80) != 0) continue;
    if (byte == 0 && shift > 0) break;  // longer than it had to be
    return value;
  }
  return Error(Code::kBadFormat, "a number is not written as it should be");
}

Result<int64_t> ByteReader::Unsigned(int64_t highest) {
  ASSIGN_OR_RETURN(const uint64_t value, Number());
  if (value > static_cast<uint64_t>(highest))
    return Error(Code::kBadFormat, "found ", value, ", at most ", highest, " wanted");
  return static_cast<int64_t>(value);
}

Result<int64_t> ByteReader::Signed() {
  ASSIGN_OR_RETURN(const uint64_t value, Number());
  return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

Result<float> ByteReader::Float() {
  uint32_t bits = 0;
  for (int shift = 0; shift < 32; shift += 8) {
    ASSIGN_OR_RETURN(const uint8_t byte, Byte());
    bits |= static_cast<uint32_t>(byte) << shift;
  }
  return std::bit_cast<float>(bits);
}

Result<std::string> ByteReader::Text(int64_t longest) {
  ASSIGN_OR_RETURN(const int64_t length, Unsigned(longest));
  if (length > left()) return Error(Code::kBadFormat, "the content ends too early");
  const auto n = static_cast<size_t>(length);
  std::string text(reinterpret_cast<const char*>(rest_.data()), n);
  rest_ = rest_.subspan(n);
  return text;
}

}  // namespace intmill
