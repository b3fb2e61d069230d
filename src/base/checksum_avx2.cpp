// XXH3 compiled for AVX2. Everything inlined has internal linkage, so that no other object shares
// it (see tools/check_levels.py).
#include "base/checksum.h"

// A page ahead: files are mapped, and the processor itself fetches to the end of a page only.
#define XXH_PREFETCH_DIST 4096
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace intmill {

uint64_t ChecksumByAvx2(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace intmill
