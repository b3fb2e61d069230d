// How much of anything an .im file may hold: checked when writing and when reading, before memory
// is spent on it.
#ifndef INTMILL_FORMAT_LIMITS_H
#define INTMILL_FORMAT_LIMITS_H

#include <cstdint>

namespace intmill::format {

inline constexpr int64_t kMaxFileBytes = int64_t{1} << 40;
inline constexpr int64_t kMaxStructureBytes = int64_t{64} << 20;
inline constexpr int64_t kMaxNodes = 1'000'000;
inline constexpr int64_t kMaxTensors = 2'000'000;
inline constexpr int64_t kMaxNameBytes = 1024;
inline constexpr int64_t kMaxCharacters = int64_t{16} << 20;
inline constexpr int64_t kMaxAttributes = 64;  // of one node

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_LIMITS_H
