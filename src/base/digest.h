// Digest: 128 bits that tell one content from another. It finds mix-ups and damage; it is no
// signature, as whoever wants to can make two contents with the same digest.
#ifndef INTMILL_BASE_DIGEST_H
#define INTMILL_BASE_DIGEST_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace intmill {

// Depends on the bytes added and not on the portions in which they were.
class Digest {
 public:
  static constexpr size_t kBytes = 16;

  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void Add(std::span<const std::byte> bytes);
  // With their lengths, so that neighbours cannot be taken for each other.
  void AddText(std::string_view text);
  void AddNumber(int64_t number);

  std::array<std::byte, kBytes> Get() const;
  std::string Hex() const;  // 32 digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace intmill

#endif  // INTMILL_BASE_DIGEST_H
