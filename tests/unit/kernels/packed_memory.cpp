// Pieces of slabs: zeroed, apart, used again, and there as long as someone holds them.
#include "kernels/packed_memory.h"

#include <algorithm>
#include <criterion/criterion.h>
#include <thread>

#include "kernels/packing_scope.h"

using namespace intmill;

namespace {

constexpr int64_t kPiece = 300'000;

std::shared_ptr<std::byte> Take(int64_t bytes) {
  Result<std::shared_ptr<std::byte>> piece = PackedMemory::Allocate(bytes);
  cr_assert(piece.ok(), "%s", piece.status().message().c_str());
  return *std::move(piece);
}

bool IsAll(const std::shared_ptr<std::byte>& piece, int64_t bytes, std::byte wanted) {
  return std::all_of(piece.get(), piece.get() + bytes, [&](std::byte b) { return b == wanted; });
}

void FillAll(const std::shared_ptr<std::byte>& piece, int64_t bytes, std::byte value) {
  std::fill(piece.get(), piece.get() + bytes, value);
}

}  // namespace

Test(packed_memory, pieces_are_aligned_zeroed_and_apart) {
  const PackedMemory memory;
  std::vector<std::shared_ptr<std::byte>> pieces;
  for (int i = 0; i < 100; ++i) {  // of more than one slab
    pieces.push_back(Take(kPiece + i));
    cr_assert_eq(reinterpret_cast<uintptr_t>(pieces.back().get()) % 64, 0);
    cr_assert(IsAll(pieces.back(), kPiece + i, std::byte{0}));
    FillAll(pieces.back(), kPiece + i, static_cast<std::byte>(i + 1));
  }
  for (int i = 0; i < 100; ++i)
    cr_assert(IsAll(pieces[static_cast<size_t>(i)], kPiece + i, static_cast<std::byte>(i + 1)));
}

Test(packed_memory, what_was_taken_last_and_dropped_is_used_again_and_zeroed) {
  const PackedMemory memory;
  const std::shared_ptr<std::byte> kept = Take(kPiece);
  std::shared_ptr<std::byte> dropped = Take(kPiece);
  FillAll(kept, kPiece, std::byte{1});
  FillAll(dropped, kPiece, std::byte{2});
  const std::byte* const where = dropped.get();
  dropped.reset();
  const std::shared_ptr<std::byte> next = Take(2 * kPiece);
  cr_assert_eq(next.get(), where);
  cr_assert(IsAll(next, 2 * kPiece, std::byte{0}));
  cr_assert(IsAll(kept, kPiece, std::byte{1}));
}

Test(packed_memory, what_was_dropped_before_the_last_one_is_not_used_again) {
  const PackedMemory memory;
  std::shared_ptr<std::byte> first = Take(kPiece);
  const std::shared_ptr<std::byte> last = Take(kPiece);
  FillAll(last, kPiece, std::byte{3});
  first.reset();
  FillAll(Take(kPiece), kPiece, std::byte{4});
  cr_assert(IsAll(last, kPiece, std::byte{3}));
}

Test(packed_memory, pieces_outlive_it_and_may_end_on_another_thread) {
  std::shared_ptr<std::byte> piece;
  {
    const PackedMemory memory;
    piece = Take(kPiece);
    const PackedMemory inner;
    cr_assert_neq(Take(kPiece).get(), piece.get() + kPiece);
  }
  FillAll(piece, kPiece, std::byte{5});
  std::thread([mine = std::move(piece)] {
    const PackedMemory other;
    cr_assert(IsAll(Take(kPiece), kPiece, std::byte{0}));
    cr_assert(IsAll(mine, kPiece, std::byte{5}));
  }).join();
}

Test(packed_memory, more_than_a_slab_and_impossible_sizes_are_answered) {
  const PackedMemory memory;
  constexpr int64_t kLarge = 40 << 20;
  const std::shared_ptr<std::byte> large = Take(kLarge);
  large.get()[kLarge - 1] = std::byte{6};
  cr_assert(IsAll(Take(kPiece), kPiece, std::byte{0}));
  cr_assert_eq(PackedMemory::Allocate(int64_t{1} << 60).status().code(), Code::kOutOfMemory);
  cr_assert_eq(PackedMemory::Allocate(-1).status().code(), Code::kOutOfMemory);
}

// As a kernel that fails its trial drops what was packed for it.
Test(packed_memory, records_hold_only_what_a_kernel_kept) {
  const PackedMemory memory;
  KernelRecord record;
  PackingScope scope(&record);
  const auto pack = [](std::byte value) {
    return PackOnce(kPiece, [&](std::byte* to) {
      std::fill(to, to + kPiece, value);
      return Ok();
    });
  };
  cr_assert(pack(std::byte{7}).ok());
  const Result<SharedBytes> kept = pack(std::byte{8});
  cr_assert(kept.ok());
  cr_assert(scope.Finish("kernel").ok());
  cr_assert_eq(record.packed.size(), 1);
  cr_assert_eq(record.packed[0].data, *kept);
}
