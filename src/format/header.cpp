// Encoding and checking the header of an .im file.
#include "format/header.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/checksum.h"
#include "format/format.h"
#include "format/limits.h"

namespace intmill::format {
namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

// The last byte stops programs that print the file as text.
constexpr std::array<char, 8> kMagic = {'i', 'n', 't', 'm', 'i', 'l', 'l', '\x1a'};

// Where each field lies. Bytes between are 0.
constexpr size_t kVersionAt = 8;
constexpr size_t kFlagsAt = 12;
constexpr size_t kFileBytesAt = 16;
constexpr size_t kStructureOffsetAt = 24;
constexpr size_t kStructureBytesAt = 32;
constexpr size_t kStructureHashAt = 40;
constexpr size_t kHeaderHashAt = 120;  // of the bytes before it

template <typename T>
void Put(std::span<std::byte> bytes, size_t at, T number) {
  std::memcpy(bytes.data() + at, &number, sizeof(T));
}

template <typename T>
T Get(std::span<const std::byte> bytes, size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof(T));
  return number;
}

Status CheckSizes(const Header& h, uint64_t file_bytes) {
  if (h.file_bytes != file_bytes) {
    return Error(Code::kBadFormat, "the file has ", file_bytes, " bytes, its header says ",
                 h.file_bytes, "; it was cut off or added to");
  }
  if (h.structure_bytes > static_cast<uint64_t>(kMaxStructureBytes)) {
    return Error(Code::kBadFormat, "the structure has ", h.structure_bytes, " bytes, at most ",
                 kMaxStructureBytes, " wanted");
  }
  if (h.structure_offset != static_cast<uint64_t>(kHeaderBytes) ||
      h.structure_bytes > file_bytes - h.structure_offset) {
    return Error(Code::kBadFormat, "the structure lies at ", h.structure_offset, " with ",
                 h.structure_bytes, " bytes, the file has ", file_bytes);
  }
  return Ok();
}

}  // namespace

bool HasMagic(std::span<const std::byte> bytes) {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::array<std::byte, kHeaderBytes> EncodeHeader(const Header& header) {
  std::array<std::byte, kHeaderBytes> bytes = {};
  std::memcpy(bytes.data(), kMagic.data(), kMagic.size());
  Put(bytes, kVersionAt, header.version);
  Put(bytes, kFlagsAt, header.flags);
  Put(bytes, kFileBytesAt, header.file_bytes);
  Put(bytes, kStructureOffsetAt, header.structure_offset);
  Put(bytes, kStructureBytesAt, header.structure_bytes);
  Put(bytes, kStructureHashAt, header.structure_hash);
  Put(bytes, kHeaderHashAt, ChecksumOf(std::span(bytes).first(kHeaderHashAt)));
  return bytes;
}

Result<Header> DecodeHeader(std::span<const std::byte> file) {
  if (!HasMagic(file)) return Error(Code::kBadFormat, "not an intmill model: no magic number");
  if (file.size() < static_cast<size_t>(kHeaderBytes)) {
    return Error(Code::kBadFormat, "the file has ", file.size(), " bytes, its header alone takes ",
                 kHeaderBytes);
  }
  // A copy, as mapped bytes may change between a check and a use.
  std::array<std::byte, kHeaderBytes> bytes;
  std::ranges::copy(file.first(kHeaderBytes), bytes.begin());
  Header header;
  header.version = Get<uint32_t>(bytes, kVersionAt);
  if (header.version > static_cast<uint32_t>(kFormatVersion)) {
    return Error(Code::kBadVersion, "the file has format version ", header.version,
                 ", this release of intmill reads up to ", kFormatVersion);
  }
  if (ChecksumOf(std::span(bytes).first(kHeaderHashAt)) != Get<uint64_t>(bytes, kHeaderHashAt))
    return Error(Code::kBadFormat, "the header is damaged: its checksum differs");
  if (header.version == 0) return Error(Code::kBadFormat, "format version 0 does not exist");
  header.flags = Get<uint32_t>(bytes, kFlagsAt);
  if (header.flags != 0) {
    return Error(Code::kBadVersion, "the file has flags ", header.flags,
                 ", which this release of intmill does not know");
  }
  header.file_bytes = Get<uint64_t>(bytes, kFileBytesAt);
  header.structure_offset = Get<uint64_t>(bytes, kStructureOffsetAt);
  header.structure_bytes = Get<uint64_t>(bytes, kStructureBytesAt);
  header.structure_hash = Get<uint64_t>(bytes, kStructureHashAt);
  TRY(CheckSizes(header, file.size()));
  return header;
}

}  // namespace intmill::format
