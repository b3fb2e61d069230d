// ArrayDataset: samples that lie one after another in memory, mapped or inflated.
#ifndef INTMILL_CLI_DATA_ARRAY_H
#define INTMILL_CLI_DATA_ARRAY_H

#include <memory>
#include <span>
#include <string>

#include "cli/dataset.h"
#include "cli/file.h"

namespace intmill::cli {

class ArrayDataset : public Dataset {
 public:
  // `type` is of the whole array; `bytes` holds at least its elements, and `keeper` holds them.
  // An array without dimensions is one sample. `file`: where they are mapped, or null.
  ArrayDataset(std::string name, ArrayType type, std::span<const std::byte> bytes,
               std::shared_ptr<const void> keeper, const MappedFile* file = nullptr);

  const std::string& name() const override { return name_; }
  const ArrayType& sample() const override { return sample_; }
  int64_t count() const override { return count_; }
  void Read(int64_t index, std::byte* out) const override;

 private:
  std::string name_;
  ArrayType sample_;
  int64_t count_ = 1;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> keeper_;
  const MappedFile* file_;
};

}  // namespace intmill::cli

#endif  // INTMILL_CLI_DATA_ARRAY_H
