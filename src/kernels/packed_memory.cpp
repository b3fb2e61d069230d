// Slabs are filled from front to back.
#include "kernels/packed_memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/memory.h"

namespace intmill {
namespace {

constexpr int64_t kSlabBytes = 16 << 20;
// Fewer are not worth a page of two megabytes; more have slabs of their own.
constexpr int64_t kSmallest = 128 << 10;

int64_t RoundUp(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

thread_local PackedMemory* PackedMemory::current_ = nullptr;

struct PackedMemory::Slab {
  HugeBytes memory;
  int64_t bytes = 0;
};

// What frees a piece.
struct PackedMemory::Piece {
  std::shared_ptr<Slab> slab;
  int64_t begin = 0;
  int64_t end = 0;

  void operator()(std::byte*) {
    if (current_ != nullptr) current_->GiveBack(slab.get(), begin, end);
    slab.reset();
  }
};

Result<std::shared_ptr<std::byte>> PackedMemory::Allocate(int64_t bytes) {
  if (current_ != nullptr && bytes >= kSmallest) return current_->Take(bytes);
  ASSIGN_OR_RETURN(AlignedBytes memory, AllocateAligned(bytes));
  return std::shared_ptr<std::byte>(memory.release(), AlignedFree());
}

Result<std::shared_ptr<std::byte>> PackedMemory::Take(int64_t bytes) {
  if (slab_ == nullptr || bytes > slab_->bytes - used_) {
    auto slab = std::make_shared<Slab>();
    slab->bytes = std::max(kSlabBytes, bytes);
    ASSIGN_OR_RETURN(slab->memory, AllocateHuge(slab->bytes));
    slab_ = std::move(slab);
    used_ = 0;
    written_ = 0;
  }
  const Piece piece{.slab = slab_, .begin = used_, .end = used_ + RoundUp(bytes)};
  std::byte* const memory = slab_->memory.get() + used_;
  if (written_ > used_)
    std::memset(memory, 0, static_cast<size_t>(std::min(written_ - used_, bytes)));
  used_ = std::min(piece.end, slab_->bytes);
  written_ = std::max(written_, used_);
  return std::shared_ptr<std::byte>(memory, piece);
}

void PackedMemory::GiveBack(const Slab* slab, int64_t begin, int64_t end) {
  if (slab == slab_.get() && std::min(end, slab->bytes) == used_) used_ = begin;
}

}  // namespace intmill
