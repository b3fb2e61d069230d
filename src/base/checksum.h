// Checksum: the 64 bits (XXH3) beside contents in our files, which find damage. Whoever wants to
// can make another content with the same checksum.
#ifndef INTMILL_BASE_CHECKSUM_H
#define INTMILL_BASE_CHECKSUM_H

#include <cstddef>
#include <cstdint>
#include <span>

namespace intmill {

uint64_t ChecksumOf(std::span<const std::byte> bytes);

// The same with AVX2, where `checksum_avx2.cpp` is part of the build and the processor has it.
uint64_t ChecksumByAvx2(const std::byte* bytes, size_t count);

}  // namespace intmill

#endif  // INTMILL_BASE_CHECKSUM_H
