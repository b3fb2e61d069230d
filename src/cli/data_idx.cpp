// Samples from IDX files, plain or compressed with gzip: the format of the MNIST family.
// Layout: 0, 0, type (8: u8), rank, rank sizes as big-endian u32, then the elements.
#include <algorithm>
#include <array>
#include <memory>
#include <vector>
#include <zlib.h>

#include "cli/data_array.h"
#include "cli/dataset.h"
#include "cli/error.h"

namespace intmill::cli {
namespace {

constexpr int kTypeU8 = 8;
constexpr int kHighestRank = 4;

class GzipReader {
 public:
  explicit GzipReader(const std::string& path)
      : path_(path), file_(gzopen(path.c_str(), "rb"), &gzclose) {
    if (file_ == nullptr) throw Failure(Cat(path, ": cannot be opened"));
  }

  // Reads up to out.size() bytes; fewer only at the end.
  size_t Read(std::span<std::byte> out) {
    const int read = gzread(file_.get(), out.data(), static_cast<unsigned>(out.size()));
    if (read < 0) throw Failure(Cat(path_, ": damaged gzip file"));
    return static_cast<size_t>(read);
  }

 private:
  const std::string& path_;
  std::unique_ptr<gzFile_s, decltype(&gzclose)> file_;
};

ArrayType ReadHeader(GzipReader& file, const std::string& path) {
  std::array<std::byte, 4> magic{};
  const bool has_magic = file.Read(magic) == magic.size();
  const int rank = std::to_integer<int>(magic[3]);
  if (!has_magic || magic[0] != std::byte{0} || magic[1] != std::byte{0} || rank > kHighestRank ||
      rank == 0)
    throw Failure(Cat(path, ": not an IDX file"));
  if (std::to_integer<int>(magic[2]) != kTypeU8)
    throw Failure(Cat(path, ": IDX element type ", std::to_integer<int>(magic[2]),
                      " is not taken, wanted ", kTypeU8, " (unsigned byte)"));
  ArrayType type{INTMILL_U8, {}};
  for (int i = 0; i < rank; ++i) {
    std::array<std::byte, 4> field{};
    if (file.Read(field) != field.size()) throw Failure(Cat(path, ": cut short in its header"));
    int64_t dim = 0;
    for (const std::byte b : field) dim = dim << 8 | std::to_integer<int64_t>(b);
    type.dims.push_back(dim);
  }
  return type;
}

// Grows with what arrives: a header may promise any size.
std::vector<std::byte> ReadElements(GzipReader& file, const ArrayType& type,
                                    const std::string& path) {
  constexpr int64_t kChunk = int64_t{1} << 20;
  const int64_t wanted = ByteCount(type);
  std::vector<std::byte> elements;
  for (;;) {
    const size_t before = elements.size();
    elements.resize(before + kChunk);
    const size_t read = file.Read(std::span(elements).subspan(before));
    elements.resize(before + read);
    if (static_cast<int64_t>(elements.size()) > wanted || read == 0) break;
  }
  if (static_cast<int64_t>(elements.size()) != wanted)
    throw Failure(Cat(path, ": the header says ", ShapeText(type.dims), ", and ",
                      static_cast<int64_t>(elements.size()) < wanted ? "less" : "more",
                      " follows"));
  return elements;
}

}  // namespace

DatasetPtr OpenIdx(const std::string& path) {
  GzipReader file(path);
  ArrayType type = ReadHeader(file, path);
  auto elements = std::make_shared<const std::vector<std::byte>>(ReadElements(file, type, path));
  const std::span<const std::byte> bytes(*elements);
  return std::make_unique<ArrayDataset>(path, std::move(type), bytes, std::move(elements));
}

}  // namespace intmill::cli
