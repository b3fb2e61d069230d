// The first bytes of an .im file: what it is, which version, where its parts lie, and checksums.
#ifndef INTMILL_FORMAT_HEADER_H
#define INTMILL_FORMAT_HEADER_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"

namespace intmill::format {

inline constexpr int64_t kHeaderBytes = 128;

// All positions and sizes in bytes from the start of the file; numbers are little-endian.
struct Header {
  uint32_t version = 0;
  uint32_t flags = 0;  // none defined: must be 0
  uint64_t file_bytes = 0;
  uint64_t structure_offset = 0;
  uint64_t structure_bytes = 0;
  uint64_t structure_hash = 0;  // XXH3, 64 bits
};

bool HasMagic(std::span<const std::byte> bytes);

std::array<std::byte, kHeaderBytes> EncodeHeader(const Header& header);
// Checks everything that can be checked without reading on. The version comes first, so that a file
// from a later release is told from a damaged one.
Result<Header> DecodeHeader(std::span<const std::byte> file);

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_HEADER_H
