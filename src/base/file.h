// Files: map, read, write atomically, and open safely beneath a directory.
#ifndef INTMILL_BASE_FILE_H
#define INTMILL_BASE_FILE_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/status.h"

namespace intmill {

// A regular file mapped read-only, or memory lent by the caller. Shared by all that point into it.
class Blob {
 public:
  using Free = std::function<void()>;
  Blob(std::span<const std::byte> bytes, Free free) : bytes_(bytes), free_(std::move(free)) {}
  ~Blob() {
    if (free_) free_();
  }
  Blob(const Blob&) = delete;
  Blob& operator=(const Blob&) = delete;

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
  Free free_;
};
using BlobPtr = std::shared_ptr<const Blob>;

// Regular files only (a FIFO or device is refused). The message names the file and errno's text.
Result<BlobPtr> MapFile(const std::string& path);

// Maps `relative` beneath the directory of `base_path` without leaving it: no "..", no absolute
// path, no symbolic or hard links, regular files only; all checks on the opened descriptor.
Result<BlobPtr> MapFileBeneath(const std::string& base_path, const std::string& relative);

// Writes a temporary file beside `path`, syncs it, and renames it over `path`; on any failure the
// old file is untouched and the temporary one gone. `write` is called with a sink for pieces.
using Sink = std::function<Status(std::span<const std::byte>)>;
Status WriteFileAtomically(const std::string& path,
                           const std::function<Status(const Sink&)>& write);

}  // namespace intmill

#endif  // INTMILL_BASE_FILE_H
