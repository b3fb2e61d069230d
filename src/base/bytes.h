// Compact numbers in files: written one after the other, read with every step checked.
#ifndef INTMILL_BASE_BYTES_H
#define INTMILL_BASE_BYTES_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace intmill {

class ByteWriter {
 public:
  void Byte(uint8_t value) { bytes_.push_back(static_cast<std::byte>(value)); }
  // 7 bits a byte, the lowest first; the top bit says that more follow.
  void Unsigned(uint64_t value);
  // As Unsigned, with the sign in the lowest bit.
  void Signed(int64_t value);
  void Float(float value);  // its 4 bytes, little-endian
  void Text(std::string_view text);
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// Every failure is kBadFormat.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  Result<uint8_t> Byte();
  // In the one way in which ByteWriter writes it, and at most `highest`.
  Result<int64_t> Unsigned(int64_t highest);
  Result<int64_t> Signed();
  Result<float> Float();
  Result<std::string> Text(int64_t longest);
  int64_t left() const { return static_cast<int64_t>(rest_.size()); }

 private:
  Result<uint64_t> Number();
  std::span<const std::byte> rest_;
};

}  // namespace intmill

#endif  // INTMILL_BASE_BYTES_H
