// NpzWriter: writes arrays into one .npz file piece by piece, holding none of them in memory.
// Members are stored, not deflated, and sizes always written with 64 bits, so every offset is known
// before the first element.
#include "cli/npz_writer.h"

#include <zlib.h>

#include "cli/error.h"
#include "cli/npy.h"

namespace intmill::cli {
namespace {

constexpr int64_t kVersion64 = 45;          // of ZIP: the first with 64-bit sizes
constexpr int64_t kUtf8 = 0x800;            // flag: names are UTF-8
constexpr int64_t kFirstDate = 0x00210000;  // 1980-01-01: the same bytes every day
constexpr int64_t kIn64 = 0xffffffff;

class Record {
 public:
  Record& Number(int64_t value, int width) {
    for (int i = 0; i < width; ++i) text_ += static_cast<char>(value >> (8 * i) & 0xff);
    return *this;
  }
  Record& Text(const std::string& text) {
    text_ += text;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::span<const std::byte> BytesOf(const std::string& text) {
  return std::as_bytes(std::span(text));
}

}  // namespace

NpzWriter::NpzWriter(const std::string& path, const std::vector<Array>& arrays) : file_(path) {
  int64_t offset = 0;
  for (const Array& array : arrays) {
    const std::string preamble = NpyPreamble(array.type);
    Member member;
    member.name = array.name + ".npy";
    member.header_offset = offset;
    const auto header_bytes = static_cast<int64_t>(LocalHeader(member).size());
    const auto preamble_bytes = static_cast<int64_t>(preamble.size());
    const int64_t begin = offset + header_bytes;
    member.next_offset = begin + preamble_bytes;
    member.end_offset = member.next_offset + ByteCount(array.type);
    member.size = member.end_offset - begin;
    member.crc = crc32_z(0, reinterpret_cast<const Bytef*>(preamble.data()), preamble.size());
    file_.WriteAt(begin, BytesOf(preamble));
    offset = member.end_offset;
    members_.push_back(std::move(member));
  }
  directory_offset_ = offset;
}

void NpzWriter::Append(size_t index, std::span<const std::byte> elements) {
  Member& member = members_[index];
  const auto size = static_cast<int64_t>(elements.size());
  if (size > member.end_offset - member.next_offset)
    throw Failure(Cat("output '", member.name, "': more elements than its shape has"));
  file_.WriteAt(member.next_offset, elements);
  member.next_offset += size;
  member.crc =
      crc32_z(member.crc, reinterpret_cast<const Bytef*>(elements.data()), elements.size());
}

std::string NpzWriter::LocalHeader(const Member& member) const {
  Record record;
  record.Number(0x04034b50, 4).Number(kVersion64, 2).Number(kUtf8, 2).Number(0, 2);
  record.Number(kFirstDate, 4).Number(static_cast<int64_t>(member.crc), 4);
  record.Number(kIn64, 4).Number(kIn64, 4);
  record.Number(static_cast<int64_t>(member.name.size()), 2).Number(20, 2).Text(member.name);
  record.Number(1, 2).Number(16, 2).Number(member.size, 8).Number(member.size, 8);
  return record.text();
}

std::string NpzWriter::CentralHeader(const Member& member) const {
  Record record;
  record.Number(0x02014b50, 4).Number(kVersion64, 2).Number(kVersion64, 2).Number(kUtf8, 2);
  record.Number(0, 2).Number(kFirstDate, 4).Number(static_cast<int64_t>(member.crc), 4);
  record.Number(kIn64, 4).Number(kIn64, 4);
  record.Number(static_cast<int64_t>(member.name.size()), 2).Number(28, 2).Number(0, 2);
  record.Number(0, 2).Number(0, 2).Number(0, 4).Number(kIn64, 4).Text(member.name);
  record.Number(1, 2).Number(24, 2).Number(member.size, 8).Number(member.size, 8);
  record.Number(member.header_offset, 8);
  return record.text();
}

void NpzWriter::Finish() {
  std::string directory;
  for (const Member& member : members_) {
    if (member.next_offset != member.end_offset)
      throw Failure(Cat("output '", member.name, "': fewer elements than its shape has"));
    file_.WriteAt(member.header_offset, BytesOf(LocalHeader(member)));
    directory += CentralHeader(member);
  }
  const auto count = static_cast<int64_t>(members_.size());
  const auto directory_bytes = static_cast<int64_t>(directory.size());
  Record end;
  end.Number(0x06064b50, 4).Number(44, 8).Number(kVersion64, 2).Number(kVersion64, 2);
  end.Number(0, 4).Number(0, 4).Number(count, 8).Number(count, 8);
  end.Number(directory_bytes, 8).Number(directory_offset_, 8);
  end.Number(0x07064b50, 4).Number(0, 4).Number(directory_offset_ + directory_bytes, 8);
  end.Number(1, 4);
  end.Number(0x06054b50, 4).Number(0, 2).Number(0, 2).Number(0xffff, 2).Number(0xffff, 2);
  end.Number(kIn64, 4).Number(kIn64, 4).Number(0, 2);
  file_.WriteAt(directory_offset_, BytesOf(directory + end.text()));
  file_.Commit();
}

}  // namespace intmill::cli
