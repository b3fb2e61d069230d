// XXH3 for any processor, and the choice of the form that runs.
#include "base/checksum.h"

#include "base/cpu.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace intmill {

uint64_t ChecksumOf(std::span<const std::byte> bytes) {
#if defined(__x86_64__)
  // Weights are mapped and checked when a model is loaded, which takes twice as long without.
  constexpr size_t kLong = 4096;
  if (bytes.size() >= kLong && DetectIsa() >= Isa::kAvx2)
    return ChecksumByAvx2(bytes.data(), bytes.size());
#endif
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace intmill
