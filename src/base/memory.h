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

struct Unmap {
  void* mapping = nullptr;
  size_t bytes = 0;
  void operator()(std::byte*) const noexcept;
};
using HugeBytes = std::unique_ptr<std::byte[], Unmap>;

// Zeroed memory that the system is asked to back with huge pages, and that begins where one begins.
// What is not touched takes no memory.
Result<HugeBytes> AllocateHuge(int64_t bytes);

}  // namespace intmill

#endif  // INTMILL_BASE_MEMORY_H
