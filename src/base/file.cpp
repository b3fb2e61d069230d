// Files through POSIX descriptors: every check is made on what was opened, never on a name.
#include "base/file.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "base/mapping.h"

namespace intmill {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // False with errno set when the kernel reports a write that failed late.
  bool Close() { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

Status SystemError(const std::string& path, const char* what, int error = errno) {
  const Code code = error == ENOMEM ? Code::kOutOfMemory : Code::kIo;
  return Error(code, path, ": ", what, ": ", std::generic_category().message(error));
}

// std::string may hold zero bytes, and open() would then see another, shorter name.
Status CheckName(const std::string& path) {
  if (path.empty()) return Error(Code::kIo, "the file name is empty");
  if (path.find('\0') != std::string::npos)
    return Error(Code::kIo, "the file name has a zero byte after '", path.c_str(), "'");
  return Ok();
}

Descriptor OpenAt(int directory, const char* name, int flags, mode_t mode = 0) {
  int fd = -1;
  do fd = ::openat(directory, name, flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

// O_NONBLOCK: opening a FIFO must not wait for a writer; the next check refuses it.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;

// Where files are mapped now: begin and end of each.
class Mappings {
 public:
  static Mappings& Get() {
    static auto* const all = new Mappings();  // models may outlive static objects
    return *all;
  }
  void Add(uintptr_t begin, size_t bytes) {
    const std::lock_guard lock(mutex_);
    ends_[begin] = begin + bytes;
  }
  void Remove(uintptr_t begin) {
    const std::lock_guard lock(mutex_);
    ends_.erase(begin);
  }
  void Forget(uintptr_t begin, uintptr_t end) {
    const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
    const std::lock_guard lock(mutex_);
    const auto after = ends_.upper_bound(begin);
    if (after == ends_.begin() || end > std::prev(after)->second) return;
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin >= end) return;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): whole pages, found by arithmetic on addresses
    ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }

 private:
  std::mutex mutex_;
  std::map<uintptr_t, uintptr_t> ends_;
};

Result<BlobPtr> MapDescriptor(const Descriptor& file, const std::string& path, bool single_link) {
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return SystemError(path, "cannot be examined");
  if (!S_ISREG(info.st_mode)) return Error(Code::kIo, path, ": is not a regular file");
  if (single_link && info.st_nlink != 1)
    return Error(Code::kIo, path, ": has ", info.st_nlink, " hard links, wanted 1");
  const auto bytes = static_cast<size_t>(info.st_size);
  if (bytes == 0) return BlobPtr(std::make_shared<Blob>(std::span<const std::byte>(), nullptr));
  // Made first: when there is no memory for it, there must be no mapping either.
  struct Mapping {
    void* data = MAP_FAILED;
    size_t bytes = 0;
    ~Mapping() {
      if (data == MAP_FAILED) return;
      Mappings::Get().Remove(reinterpret_cast<uintptr_t>(data));
      ::munmap(data, bytes);
    }
  };
  const auto mapping = std::make_shared<Mapping>();
  mapping->data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapping->data == MAP_FAILED) return SystemError(path, "cannot be mapped");
  mapping->bytes = bytes;
  Mappings::Get().Add(reinterpret_cast<uintptr_t>(mapping->data), bytes);
  return BlobPtr(std::make_shared<Blob>(
      std::span(static_cast<const std::byte*>(mapping->data), bytes), [mapping] {}));
}

struct Place {
  std::string directory;  // "." when the path has none
  std::string name;
};

Place SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

// The components of a path that may not leave its directory. A backslash counts as a separator,
// because files made on other systems use it; no component of ours ever holds one.
Result<std::vector<std::string>> SafeComponents(const std::string& relative) {
  std::vector<std::string> parts;
  if (relative.front() == '/') return Error(Code::kIo, relative, ": is an absolute path");
  if (relative.find('\\') != std::string::npos)
    return Error(Code::kIo, relative, ": has a backslash");
  for (size_t begin = 0; begin <= relative.size();) {
    const size_t end = std::min(relative.find('/', begin), relative.size());
    const std::string part = relative.substr(begin, end - begin);
    if (part == "..") return Error(Code::kIo, relative, ": leaves the model's directory");
    if (!part.empty() && part != ".") parts.push_back(part);
    begin = end + 1;
  }
  if (parts.empty() || relative.back() == '/')
    return Error(Code::kIo, relative, ": does not name a file");
  return parts;
}

Status WriteAll(const Descriptor& file, const std::string& path, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB a call.
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(path, "cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return Ok();
}

// The file that takes shape beside its target; removed unless it was renamed.
class TemporaryFile {
 public:
  static Result<TemporaryFile> Create(int directory, const std::string& path, mode_t mode) {
    for (int attempt = 0; attempt < 100; ++attempt) {
      uint64_t random = 0;
      if (::getentropy(&random, sizeof random) != 0)
        return SystemError(path, "no random name for the temporary file");
      char name[40];
      std::snprintf(name, sizeof name, ".intmill-%016llx", static_cast<unsigned long long>(random));
      Descriptor file = OpenAt(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
      if (file.open()) return TemporaryFile(directory, name, std::move(file));
      if (errno != EEXIST) return SystemError(path, "cannot be created");
    }
    return Error(Code::kIo, path, ": no free name for the temporary file");
  }
  ~TemporaryFile() {
    if (!name_.empty()) ::unlinkat(directory_, name_.c_str(), 0);
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : directory_(other.directory_),
        name_(std::exchange(other.name_, {})),
        file_(std::move(other.file_)) {}

  const Descriptor& file() const { return file_; }

  Status RenameTo(const std::string& name, const std::string& path) {
    if (::fsync(file_.get()) != 0 || !file_.Close()) return SystemError(path, "cannot be written");
    if (::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0)
      return SystemError(path, "cannot be replaced");
    name_.clear();
    return Ok();
  }

 private:
  TemporaryFile(int directory, std::string name, Descriptor file)
      : directory_(directory), name_(std::move(name)), file_(std::move(file)) {}
  int directory_;
  std::string name_;
  Descriptor file_;
};

// Links in the user's own path are followed, so that a linked file is replaced and not its link.
std::string FollowLinks(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? path : std::string(real.get());
}

}  // namespace

void ForgetPages(std::span<const std::byte> bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(bytes.data());
  Mappings::Get().Forget(begin, begin + bytes.size());
}

Result<BlobPtr> MapFile(const std::string& path) {
  TRY(CheckName(path));
  const Descriptor file = OpenAt(AT_FDCWD, path.c_str(), kReadFlags);
  if (!file.open()) return SystemError(path, "cannot be opened");
  return MapDescriptor(file, path, /*single_link=*/false);
}

// Walks component by component without following links, which no rename or link made meanwhile can
// redirect; openat2(RESOLVE_BENEATH) says the same in one call, but older kernels and container
// filters refuse it, and two ways would need to be tested for ever.
Result<BlobPtr> MapFileBeneath(const std::string& base_path, const std::string& relative) {
  TRY(CheckName(base_path));
  TRY(CheckName(relative));
  ASSIGN_OR_RETURN(const std::vector<std::string> parts, SafeComponents(relative));
  Descriptor directory =
      OpenAt(AT_FDCWD, SplitPath(base_path).directory.c_str(), O_PATH | O_DIRECTORY);
  if (!directory.open()) return SystemError(base_path, "its directory cannot be opened");
  for (size_t i = 0; i + 1 < parts.size(); ++i) {
    directory = OpenAt(directory.get(), parts[i].c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!directory.open()) return SystemError(relative, "cannot be opened");
  }
  const Descriptor file = OpenAt(directory.get(), parts.back().c_str(), kReadFlags | O_NOFOLLOW);
  if (!file.open() && errno == ELOOP)
    return Error(Code::kIo, relative, ": is a symbolic link, wanted a regular file");
  if (!file.open()) return SystemError(relative, "cannot be opened");
  return MapDescriptor(file, relative, /*single_link=*/true);
}

Status WriteFileAtomically(const std::string& path,
                           const std::function<Status(const Sink&)>& write) {
  TRY(CheckName(path));
  const Place target = SplitPath(FollowLinks(path));
  if (target.name.empty()) return Error(Code::kIo, path, ": does not name a file");
  const Descriptor directory = OpenAt(AT_FDCWD, target.directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (!directory.open()) return SystemError(path, "its directory cannot be opened");

  struct stat old = {};
  const bool replaces = ::fstatat(directory.get(), target.name.c_str(), &old, 0) == 0;
  if (replaces && !S_ISREG(old.st_mode)) return Error(Code::kIo, path, ": is not a regular file");
  // A new file gets the mode that the umask leaves of 0666, which only the kernel knows safely.
  ASSIGN_OR_RETURN(TemporaryFile temporary,
                   TemporaryFile::Create(directory.get(), path, replaces ? 0600 : 0666));
  if (replaces && ::fchmod(temporary.file().get(), old.st_mode & 07777) != 0)
    return SystemError(path, "cannot be given the old file's mode");

  TRY(write(
      [&](std::span<const std::byte> bytes) { return WriteAll(temporary.file(), path, bytes); }));
  TRY(temporary.RenameTo(target.name, path));
  // Some file systems cannot sync a directory (EINVAL): the rename is then as durable as it gets.
  if (::fsync(directory.get()) != 0 && errno != EINVAL)
    return SystemError(path, "its directory cannot be synced");
  return Ok();
}

}  // namespace intmill
