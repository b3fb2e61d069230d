// XXH3 compiled for AVX2. Everything it calls has internal linkage, so that no other object shares
// it (tools/check_levels.py sees to that).
#include "base/checksum.h"

// A page ahead: files are mapped, and the processor itself fetches to the end of a page only.
#define XXH_PREFETCH_DIST 4096
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace intmill {

uint64_t ChecksumByAvx2(const std::byte* bytes, size_t count) { return XXH3_64bits(bytes, count); }

}  // namespace intmill
