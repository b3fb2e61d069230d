// The first bytes of an .ims file: where its model and the structure of the session lie.
#ifndef INTMILL_FORMAT_SESSION_HEADER_H
#define INTMILL_FORMAT_SESSION_HEADER_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "format/header.h"

namespace intmill::format {

inline constexpr uint32_t kSessionVersion = 1;

// Positions and sizes in bytes from the start of the file; numbers are little-endian. The model
// follows the header, the structure the model at the next multiple of 64.
struct SessionHeader {
  uint32_t version = 0;
  uint64_t file_bytes = 0;
  uint64_t model_bytes = 0;
  uint64_t structure_bytes = 0;
  uint64_t structure_hash = 0;  // XXH3, 64 bits

  uint64_t structure_offset() const;
};

bool HasSessionMagic(std::span<const std::byte> bytes);
std::array<std::byte, kHeaderBytes> EncodeSessionHeader(const SessionHeader& header);
// Checks everything that can be checked without reading on.
Result<SessionHeader> DecodeSessionHeader(std::span<const std::byte> file);

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_SESSION_HEADER_H
