// Tells what kind of data a path holds, by its first bytes, and opens it.
#include "cli/dataset.h"

#include <algorithm>
#include <string_view>

#include "cli/error.h"
#include "cli/file.h"

namespace intmill::cli {

DatasetPtr OpenDataset(const std::string& path, const std::string& array, int64_t picture_size) {
  if (IsFolder(path)) return OpenPictures(path, picture_size);
  std::string first;
  {
    const MappedFile file(path);
    const auto bytes = file.bytes().first(std::min<size_t>(file.bytes().size(), 6));
    for (const std::byte b : bytes) first += static_cast<char>(b);
  }
  if (first == "\x93NUMPY") return OpenNpy(path);
  if (first.starts_with("PK")) return OpenNpz(path, array);
  using std::string_view_literals::operator""sv;
  if (first.starts_with("\x1f\x8b") || first.starts_with("\0\0\x08"sv)) return OpenIdx(path);
  throw Failure(Cat(path, ": not a .npy, .npz or IDX file, nor a folder of pictures"));
}

}  // namespace intmill::cli
