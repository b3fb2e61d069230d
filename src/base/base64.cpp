// Base64: three bytes are four characters.
#include "base/base64.h"

#include <algorithm>
#include <cstdint>

namespace intmill {
namespace {

constexpr std::string_view kCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string ToBase64(std::span<const std::byte> bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < n ? std::to_integer<uint32_t>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k) text += k <= n ? kCharacters[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

Result<std::vector<std::byte>> FromBase64(std::string_view text) {
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t group = 0;
  size_t digits = 0;
  const size_t end = std::min(text.find('='), text.size());
  for (const char c : text.substr(0, end)) {
    const size_t value = kCharacters.find(c);
    if (value == std::string_view::npos) return Error(Code::kBadFormat, "not base64");
    group = group << 6 | static_cast<uint32_t>(value);
    if (++digits % 4 != 0) continue;
    for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::byte>(group >> shift));
    group = 0;
  }
  const size_t rest = digits % 4;
  if (rest == 2) bytes.push_back(static_cast<std::byte>(group >> 4));
  if (rest == 3)
    for (const int shift : {10, 2}) bytes.push_back(static_cast<std::byte>(group >> shift));
  // Bits beyond the last byte, padding of another length: another text for the same bytes.
  if (ToBase64(bytes) != text) return Error(Code::kBadFormat, "not base64");
  return bytes;
}

}  // namespace intmill
