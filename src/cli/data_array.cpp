// ArrayDataset: samples that lie one after another in memory, mapped or inflated.
#include "cli/data_array.h"

#include <cstring>

namespace intmill::cli {

ArrayDataset::ArrayDataset(std::string name, ArrayType type, std::span<const std::byte> bytes,
                           std::shared_ptr<const void> keeper, const MappedFile* file)
    : name_(std::move(name)),
      sample_(std::move(type)),
      bytes_(bytes),
      keeper_(std::move(keeper)),
      file_(file) {
  if (sample_.dims.empty()) return;
  count_ = sample_.dims.front();
  sample_.dims.erase(sample_.dims.begin());
}

void ArrayDataset::Read(int64_t index, std::byte* out) const {
  const auto size = static_cast<size_t>(ByteCount(sample_));
  if (size == 0) return;
  const auto sample = bytes_.subspan(static_cast<size_t>(index) * size, size);
  std::memcpy(out, sample.data(), size);
  if (file_ != nullptr) file_->Forget(sample);
}

}  // namespace intmill::cli
