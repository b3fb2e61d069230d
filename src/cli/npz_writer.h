// NpzWriter: writes arrays into one .npz file piece by piece, holding none of them in memory.
#ifndef INTMILL_CLI_NPZ_WRITER_H
#define INTMILL_CLI_NPZ_WRITER_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/array.h"
#include "cli/file.h"

namespace intmill::cli {

class NpzWriter {
 public:
  struct Array {
    std::string name;
    ArrayType type;
  };

  // All arrays with their final shapes: sizes decide where each lies in the file.
  NpzWriter(const std::string& path, const std::vector<Array>& arrays);

  // The next elements of array `index`, in its order; the arrays may take turns.
  void Append(size_t index, std::span<const std::byte> elements);
  // Fails when an array did not get all its elements.
  void Finish();

 private:
  struct Member {
    std::string name;
    int64_t header_offset = 0;
    int64_t next_offset = 0;  // of the element bytes to come
    int64_t end_offset = 0;
    int64_t size = 0;  // preamble and elements
    uint64_t crc = 0;
  };

  std::string LocalHeader(const Member& member) const;
  std::string CentralHeader(const Member& member) const;

  OutputFile file_;
  std::vector<Member> members_;
  int64_t directory_offset_ = 0;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_NPZ_WRITER_H
