// Aligned allocation over the C library, so that a failure is a Status and not an exception.
#include "base/memory.h"

#include <cstdlib>
#include <cstring>

#include "base/checked.h"

namespace intmill {

void AlignedFree::operator()(std::byte* data) const noexcept { std::free(data); }

Result<AlignedBytes> AllocateAligned(int64_t bytes) {
  int64_t rounded = 0;
  if (bytes < 0 || !AlignUpFits(bytes == 0 ? 1 : bytes, kAlignment, &rounded))
    return Error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  auto* data =
      static_cast<std::byte*>(std::aligned_alloc(kAlignment, static_cast<size_t>(rounded)));
  if (data == nullptr) return Error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  std::memset(data, 0, static_cast<size_t>(rounded));
  return AlignedBytes(data);
}

}  // namespace intmill
