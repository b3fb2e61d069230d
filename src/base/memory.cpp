// Aligned allocation over the C library, so that a failure is a Status and not an exception.
#include "base/memory.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

#include "base/checked.h"

namespace intmill {

namespace {

// Before the memory that is handed out lies the address that the C library knows it by.
constexpr size_t kRoom = sizeof(void*);
constexpr int64_t kHugePage = 2 << 20;

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

void Unmap::operator()(std::byte*) const noexcept { munmap(mapping, bytes); }

Result<HugeBytes> AllocateHuge(int64_t bytes) {
  int64_t rounded = 0;
  int64_t with_room = 0;
  void* mapping = MAP_FAILED;
  if (bytes > 0 && AlignUpFits(bytes, kHugePage, &rounded) &&
      AddFits(rounded, kHugePage, &with_room))
    mapping = mmap(nullptr, static_cast<size_t>(with_room), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return Error(Code::kOutOfMemory, "cannot allocate ", bytes, " bytes");
  const auto begin = reinterpret_cast<uintptr_t>(mapping);
  const uintptr_t skipped = (kHugePage - begin % kHugePage) % kHugePage;
  std::byte* const data = static_cast<std::byte*>(mapping) + skipped;
#ifdef MADV_HUGEPAGE
  // It stays memory where the system has none, or none left.
  madvise(data, static_cast<size_t>(rounded), MADV_HUGEPAGE);
#endif
  return HugeBytes(data, {mapping, static_cast<size_t>(with_room)});
}

}  // namespace intmill
