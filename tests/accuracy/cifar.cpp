// CIFAR-10's binary records.
#include <cstdio>
#include <stdexcept>

#include "accuracy/tasks.h"

namespace intmill::test {

void ReadCifar(const std::string& path, int64_t limit, std::vector<std::vector<uint8_t>>* pictures,
               std::vector<int64_t>* labels) {
  constexpr size_t kPicture = 3 * 32 * 32;
  FILE* const pipe = popen(("zstd -dcq '" + path + "'").c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run zstd");
  std::vector<uint8_t> record(1 + kPicture);
  while (static_cast<int64_t>(labels->size()) < limit &&
         std::fread(record.data(), 1, record.size(), pipe) == record.size()) {
    labels->push_back(record[0]);
    pictures->emplace_back(record.begin() + 1, record.end());
  }
  pclose(pipe);
  if (labels->empty()) throw std::runtime_error(path + ": no records (is zstd installed?)");
}

}  // namespace intmill::test
