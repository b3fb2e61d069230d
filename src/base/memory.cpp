// Aligned allocation over the C library, so that a failure is a Status and not an exception.
#include "base/memory.h"

#include <cstdlib>
#include <cstring>

#include "base/checked.h"

namespace intmill {

namespace {

// Before the memory that is handed out lies the address that the C library knows it by.
constexpr size_t kRoom = sizeof(void*);

}  // namespace

void AlignedFree::operator()(std::byte* data) const noexcept {
  if (data == nullptr) return;
  void* block = nullptr;
  std::memcpy(&block, data - kRoom, kRoom);
  std::free(block);
}

// By calloc, which need not clear what comes fresh from the system: clearing it would bring in
// every page, as slowly as using it.
Result<AlignedBytes> AllocateAligned(int64_t bytes) {
  int64_t rounded = 0;
  int64_t with_room = 0;
  if (bytes < 0 || !AlignUpFits(bytes == 0 ? 1 : bytes, kAlignment, &rounded) ||
      !AddFits(rounded, kAlignment + static_cast<int64_t>(kRoom), &with_room))
    return Error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  void* const block = std::calloc(1, static_cast<size_t>(with_room));
  if (block == nullptr) return Error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  const uintptr_t first = reinterpret_cast<uintptr_t>(block) + kRoom;
  const uintptr_t skipped = (kAlignment - first % kAlignment) % kAlignment;
  std::byte* const data = static_cast<std::byte*>(block) + kRoom + skipped;
  std::memcpy(data - kRoom, &block, kRoom);
  return AlignedBytes(data);
}

}  // namespace intmill
