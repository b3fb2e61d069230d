// Files as the program needs them: mapped to read, and replaced whole or not at all to write.
#ifndef INTMILL_CLI_FILE_H
#define INTMILL_CLI_FILE_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace intmill::cli {

// A whole file, mapped read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, static_cast<size_t>(size_)}; }
  // A part of bytes() that was read and is not wanted soon: it need not stay in memory, and comes
  // back from the file when it is read again.
  void Forget(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  int64_t size_ = 0;
};

// Written beside its place under another name; takes the place in Commit, or leaves no trace.
class OutputFile {
 public:
  explicit OutputFile(std::string path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void WriteAt(int64_t offset, std::span<const std::byte> bytes);
  void Commit();

 private:
  std::string path_;
  std::string temporary_;
  int descriptor_ = -1;
};

int64_t FileSize(const std::string& path);
bool IsFolder(const std::string& path);
// Refuses files above `limit` bytes.
std::string ReadText(const std::string& path, int64_t limit);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_FILE_H
