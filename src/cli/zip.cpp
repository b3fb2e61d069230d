// As much of the ZIP format as .npz files use: stored or deflated members, also beyond 4 GiB.
// Reads the central directory at the end of the file; of a local header only its length counts.
#include "cli/zip.h"

#include <algorithm>
#include <optional>
#include <zlib.h>

#include "cli/error.h"

namespace intmill::cli {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50;
constexpr uint32_t kEnd64LocatorSignature = 0x07064b50;
constexpr uint32_t kCentralSignature = 0x02014b50;
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr size_t kEndBytes = 22;
constexpr size_t kLongestComment = 65535;
constexpr uint64_t kMostMembers = 65536;
constexpr uint64_t kIn64 = 0xffffffff;    // the field is in the 64-bit extra field
constexpr uint64_t kHighestRatio = 1032;  // of deflate: 258 bytes from 2 bits

class Bytes {
 public:
  Bytes(std::span<const std::byte> all, const std::string& name) : all_(all), name_(name) {}

  uint64_t Number(uint64_t offset, uint64_t width) const {
    const auto field = Range(offset, width);
    uint64_t value = 0;
    for (uint64_t i = width; i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(field[i]);
    return value;
  }
  std::span<const std::byte> Range(uint64_t offset, uint64_t length) const {
    if (offset > all_.size() || length > all_.size() - offset) Fail();
    return all_.subspan(offset, length);
  }
  uint64_t size() const { return all_.size(); }
  [[noreturn]] void Fail() const { throw Failure(Cat(name_, ": damaged .npz (zip) file")); }

 private:
  std::span<const std::byte> all_;
  const std::string& name_;
};

struct Directory {
  uint64_t members = 0;
  uint64_t offset = 0;
};

Directory FindDirectory(const Bytes& file) {
  if (file.size() < kEndBytes) file.Fail();
  const uint64_t last = file.size() - kEndBytes;
  const uint64_t first = last > kLongestComment ? last - kLongestComment : 0;
  uint64_t end = last;
  while (file.Number(end, 4) != kEndSignature) {
    if (end == first) file.Fail();
    --end;
  }
  Directory directory{file.Number(end + 10, 2), file.Number(end + 16, 4)};
  if (end >= 20 && file.Number(end - 20, 4) == kEnd64LocatorSignature) {
    const uint64_t end64 = file.Number(end - 20 + 8, 8);
    if (file.Number(end64, 4) != kEnd64Signature) file.Fail();
    directory = {file.Number(end64 + 32, 8), file.Number(end64 + 48, 8)};
  }
  if (directory.members > kMostMembers) file.Fail();
  return directory;
}

struct Sizes {
  uint64_t size, compressed, local_offset;
};

// Fields that hold 0xffffffff stand, in this order, as 64 bits in the extra field with id 1.
Sizes WidenSizes(const Bytes& file, Sizes sizes, uint64_t extra, uint64_t extra_length) {
  const uint64_t end = extra + extra_length;
  while (extra + 4 <= end) {
    const uint64_t id = file.Number(extra, 2);
    const uint64_t length = file.Number(extra + 2, 2);
    extra += 4;
    if (length > end - extra) file.Fail();
    if (id == 1) {
      uint64_t at = extra;
      for (uint64_t* field : {&sizes.size, &sizes.compressed, &sizes.local_offset}) {
        if (*field != kIn64) continue;
        if (at + 8 > extra + length) file.Fail();
        *field = file.Number(at, 8);
        at += 8;
      }
    }
    extra += length;
  }
  return sizes;
}

// Reads the directory entry at `at` and moves behind it.
ZipMember ReadEntry(const Bytes& file, uint64_t& at, const std::string& name) {
  if (file.Number(at, 4) != kCentralSignature) file.Fail();
  const uint64_t flags = file.Number(at + 8, 2);
  const uint64_t method = file.Number(at + 10, 2);
  const uint64_t name_length = file.Number(at + 28, 2);
  const uint64_t extra_length = file.Number(at + 30, 2);
  const uint64_t comment_length = file.Number(at + 32, 2);
  const Sizes sizes =
      WidenSizes(file, {file.Number(at + 24, 4), file.Number(at + 20, 4), file.Number(at + 42, 4)},
                 at + 46 + name_length, extra_length);
  const auto member_name = file.Range(at + 46, name_length);

  ZipMember member;
  member.name.assign(reinterpret_cast<const char*>(member_name.data()), member_name.size());
  if ((flags & 1) != 0) throw Failure(Cat(name, ": '", member.name, "' is encrypted"));
  if (method != 0 && method != 8)
    throw Failure(Cat(name, ": '", member.name, "': compression ", method, " is not known"));
  member.is_deflated = method == 8;
  member.crc = static_cast<uint32_t>(file.Number(at + 16, 4));
  if (file.Number(sizes.local_offset, 4) != kLocalSignature) file.Fail();
  const uint64_t data = sizes.local_offset + 30 + file.Number(sizes.local_offset + 26, 2) +
                        file.Number(sizes.local_offset + 28, 2);
  member.compressed = file.Range(data, sizes.compressed);
  const bool is_possible = member.is_deflated ? sizes.size / kHighestRatio <= sizes.compressed
                                              : sizes.size == sizes.compressed;
  if (!is_possible) file.Fail();
  member.size = static_cast<int64_t>(sizes.size);
  at += 46 + name_length + extra_length + comment_length;
  return member;
}

}  // namespace

std::vector<ZipMember> ListZip(std::span<const std::byte> bytes, const std::string& name) {
  const Bytes file(bytes, name);
  const Directory directory = FindDirectory(file);
  std::vector<ZipMember> members;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.members; ++i) members.push_back(ReadEntry(file, at, name));
  return members;
}

std::vector<std::byte> Inflate(const ZipMember& member, const std::string& name) {
  constexpr int64_t kChunk = int64_t{1} << 26;  // zlib counts in 32 bits
  std::vector<std::byte> content(static_cast<size_t>(member.size));
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Failure(Cat(name, ": zlib failed"));
  size_t taken = 0;
  size_t made = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    const size_t in = std::min<size_t>(kChunk, member.compressed.size() - taken);
    const size_t room = std::min<size_t>(kChunk, content.size() - made);
    stream.next_in =
        reinterpret_cast<Bytef*>(const_cast<std::byte*>(member.compressed.data())) + taken;
    stream.avail_in = static_cast<uInt>(in);
    stream.next_out = reinterpret_cast<Bytef*>(content.data()) + made;
    stream.avail_out = static_cast<uInt>(room);
    state = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += room - stream.avail_out;
  }
  inflateEnd(&stream);
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(content.data()), content.size());
  if (state != Z_STREAM_END || made != content.size() || crc != member.crc)
    throw Failure(Cat(name, ": '", member.name, "' is damaged"));
  return content;
}

}  // namespace intmill::cli
