// Encoding and checking the header of an .ims file.
#include "format/session_header.h"

#include <algorithm>
#include <cstring>

#include "base/checksum.h"
#include "format/limits.h"

namespace intmill::format {
namespace {

constexpr std::array<char, 8> kMagic = {'i', 'n', 't', 'm', 'i', 'm', 's', '\x1a'};

// As the fields lie in the file. What follows the magic is compared before it is believed.
struct Layout {
  std::array<char, 8> magic;
  uint32_t version;
  uint32_t flags;  // none defined: must be 0
  uint64_t file_bytes;
  uint64_t model_bytes;
  uint64_t structure_bytes;
  uint64_t structure_hash;
  std::array<std::byte, 72> zeros;
  uint64_t hash;  // of the bytes before it
};
static_assert(sizeof(Layout) == kHeaderBytes);
constexpr size_t kHashAt = offsetof(Layout, hash);

Status CheckSizes(const SessionHeader& h, uint64_t file_bytes) {
  if (h.file_bytes != file_bytes)
    return Error(Code::kBadFormat, "the file has ", file_bytes, " bytes, its header says ",
                 h.file_bytes, "; it was cut off or added to");
  const uint64_t room = file_bytes - static_cast<uint64_t>(kHeaderBytes);
  if (h.structure_bytes > static_cast<uint64_t>(kMaxStructureBytes) || h.model_bytes > room ||
      h.structure_offset() > file_bytes || h.structure_bytes > file_bytes - h.structure_offset())
    return Error(Code::kBadFormat, "a model of ", h.model_bytes, " bytes and a structure of ",
                 h.structure_bytes, " do not fit in ", file_bytes, " bytes");
  return Ok();
}

}  // namespace

uint64_t SessionHeader::structure_offset() const {
  return static_cast<uint64_t>(kHeaderBytes) + (model_bytes + 63) / 64 * 64;
}

bool HasSessionMagic(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::array<std::byte, kHeaderBytes> EncodeSessionHeader(const SessionHeader& h) {
  Layout layout = {.magic = kMagic,
                   .version = h.version,
                   .flags = 0,
                   .file_bytes = h.file_bytes,
                   .model_bytes = h.model_bytes,
                   .structure_bytes = h.structure_bytes,
                   .structure_hash = h.structure_hash,
                   .zeros = {},
                   .hash = 0};
  std::array<std::byte, kHeaderBytes> bytes;
  std::memcpy(bytes.data(), &layout, sizeof layout);
  layout.hash = ChecksumOf(std::span(bytes).first(kHashAt));
  std::memcpy(bytes.data(), &layout, sizeof layout);
  return bytes;
}

Result<SessionHeader> DecodeSessionHeader(std::span<const std::byte> file) {
  if (!HasSessionMagic(file)) return Error(Code::kBadFormat, "not a session: no magic number");
  if (file.size() < static_cast<size_t>(kHeaderBytes))
    return Error(Code::kBadFormat, "the file has ", file.size(), " bytes, its header alone takes ",
                 kHeaderBytes);
  // A copy, as mapped bytes may change between a check and a use.
  Layout layout;
  std::memcpy(&layout, file.data(), sizeof layout);
  if (layout.version > kSessionVersion)
    return Error(Code::kBadVersion, "the session has format version ", layout.version,
                 ", this release of intmill reads up to ", kSessionVersion);
  if (ChecksumOf(std::as_bytes(std::span(&layout, 1)).first(kHashAt)) != layout.hash)
    return Error(Code::kBadFormat, "the header is damaged: its checksum differs");
  if (layout.version == 0) return Error(Code::kBadFormat, "format version 0 does not exist");
  if (layout.flags != 0)
    return Error(Code::kBadVersion, "the session has flags ", layout.flags,
                 ", which this release of intmill does not know");
  const SessionHeader header = {.version = layout.version,
                                .file_bytes = layout.file_bytes,
                                .model_bytes = layout.model_bytes,
                                .structure_bytes = layout.structure_bytes,
                                .structure_hash = layout.structure_hash};
  TRY(CheckSizes(header, file.size()));
  return header;
}

}  // namespace intmill::format
