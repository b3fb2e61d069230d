// Writing and following the record of one kernel.
#include "kernels/packing_scope.h"

#include <algorithm>

namespace intmill {

thread_local PackingScope* PackingScope::current_ = nullptr;

Status PackingScope::Finish(std::string_view kernel) {
  if (written_ != nullptr) {
    written_->kernel = kernel;
    std::erase_if(written_->packed,
                  [](const PackedBlob& packed) { return packed.data.use_count() == 1; });
    return Ok();
  }
  if (kernel == followed_->kernel && packed_taken_ == followed_->packed.size()) return Ok();
  return Error(Code::kBadFormat, "the kernel is '", kernel, "', it was compiled as '",
               followed_->kernel, "'");
}

Result<SharedBytes> PackingScope::NextPacked(int64_t bytes) {
  if (packed_taken_ < followed_->packed.size() && followed_->packed[packed_taken_].bytes == bytes)
    return followed_->packed[packed_taken_++].data;
  return Error(Code::kBadFormat, "there are no packed weights of ", bytes, " bytes");
}

int64_t PackingScope::NextChoice() {
  return choices_taken_ < followed_->choices.size() ? followed_->choices[choices_taken_++] : -1;
}

void PackingScope::WritePacked(SharedBytes data, int64_t bytes) {
  written_->packed.push_back({std::move(data), bytes});
}

void PackingScope::WriteChoice(int64_t choice) { written_->choices.push_back(choice); }

}  // namespace intmill
