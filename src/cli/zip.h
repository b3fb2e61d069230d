// As much of the ZIP format as .npz files use: stored or deflated members, also beyond 4 GiB.
#ifndef INTMILL_CLI_ZIP_H
#define INTMILL_CLI_ZIP_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace intmill::cli {

struct ZipMember {
  std::string name;
  bool is_deflated = false;
  uint32_t crc = 0;
  int64_t size = 0;                       // inflated
  std::span<const std::byte> compressed;  // within the file
};

// Every member, with its place checked to be inside `bytes`; `name` opens the messages.
std::vector<ZipMember> ListZip(std::span<const std::byte> bytes, const std::string& name);

// The content of a deflated member, its size and checksum verified.
std::vector<std::byte> Inflate(const ZipMember& member, const std::string& name);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_ZIP_H
