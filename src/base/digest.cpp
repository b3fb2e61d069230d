// Digest: XXH3, 128 bits, in its canonical byte order.
#include "base/digest.h"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace intmill {

struct Digest::State {
  XXH3_state_t xxh3;
};

Digest::Digest() : state_(std::make_unique<State>()) { XXH3_128bits_reset(&state_->xxh3); }
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::Add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh3, bytes.data(), bytes.size());
}

void Digest::AddText(std::string_view text) {
  AddNumber(static_cast<int64_t>(text.size()));
  Add(std::as_bytes(std::span(text)));
}

void Digest::AddNumber(int64_t number) {
  std::array<std::byte, 8> bytes;
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(static_cast<uint64_t>(number) >> (8 * i));
  Add(bytes);
}

std::array<std::byte, Digest::kBytes> Digest::Get() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->xxh3));
  std::array<std::byte, kBytes> bytes;
  static_assert(sizeof canonical.digest == kBytes);
  std::memcpy(bytes.data(), canonical.digest, kBytes);
  return bytes;
}

std::string Digest::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const std::byte b : Get()) {
    hex += kDigits[std::to_integer<unsigned>(b) >> 4];
    hex += kDigits[std::to_integer<unsigned>(b) & 15];
  }
  return hex;
}

}  // namespace intmill
