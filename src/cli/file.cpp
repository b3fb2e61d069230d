// Files as the program needs them: mapped to read, and replaced whole or not at all to write.
#include "cli/file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/error.h"

namespace intmill::cli {
namespace {

[[noreturn]] void FailWithErrno(const std::string& path, const char* what) {
  throw Failure(Cat(path, ": ", what, ": ", std::strerror(errno)));
}

struct Descriptor {
  int number;
  ~Descriptor() { ::close(number); }
};

struct stat StatusOf(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) FailWithErrno(path, "cannot be examined");
  return status;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) FailWithErrno(path, "cannot be opened");
  const struct stat status = StatusOf(file.number, path);
  if (!S_ISREG(status.st_mode)) throw Failure(Cat(path, ": not a regular file"));
  size_ = status.st_size;
  if (size_ == 0) return;  // mmap refuses an empty range
  void* const data =
      ::mmap(nullptr, static_cast<size_t>(size_), PROT_READ, MAP_PRIVATE, file.number, 0);
  if (data == MAP_FAILED) FailWithErrno(path, "cannot be mapped");
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), static_cast<size_t>(size_));
}

// The last page may hold what comes next.
void MappedFile::Forget(std::span<const std::byte> part) const {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = static_cast<size_t>(part.data() - data_);
  const size_t first = begin / page * page;
  const size_t last = (begin + part.size()) / page * page;
  if (last > first) ::madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

OutputFile::OutputFile(std::string path) : path_(std::move(path)) {
  const std::filesystem::path place(path_);
  // The same folder, so that the rename stays within one file system.
  temporary_ =
      (place.parent_path() / Cat(".", place.filename().string(), ".", ::getpid(), ".tmp")).string();
  descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) FailWithErrno(path_, "cannot be written");
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void OutputFile::WriteAt(int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) FailWithErrno(path_, "cannot be written");
    offset += written;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

void OutputFile::Commit() {
  if (::fsync(descriptor_) != 0) FailWithErrno(path_, "cannot be written");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) FailWithErrno(path_, "cannot be replaced");
  ::close(descriptor_);
  descriptor_ = -1;
}

int64_t FileSize(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) FailWithErrno(path, "cannot be opened");
  return status.st_size;
}

bool IsFolder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string ReadText(const std::string& path, int64_t limit) {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  if (static_cast<int64_t>(bytes.size()) > limit)
    throw Failure(Cat(path, ": ", bytes.size(), " bytes, at most ", limit, " are taken"));
  return bytes.empty() ? std::string()
                       : std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace intmill::cli
