// 64-byte aligned memory, the alignment that every tensor and the arena have.
#ifndef INTMILL_BASE_MEMORY_H
#define INTMILL_BASE_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"

namespace intmill {

inline constexpr int64_t kAlignment = 64;

struct AlignedFree {
  void operator()(std::byte* data) const noexcept;
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedFree>;

// Zeroed memory of at least `bytes` (>= 0); kOutOfMemory says how much was asked for.
Result<AlignedBytes> AllocateAligned(int64_t bytes);

}  // namespace intmill

#endif  // INTMILL_BASE_MEMORY_H
