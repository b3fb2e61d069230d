// Memory for the packed weights of many kernels, in pieces of slabs that the system may back with
// huge pages. A page costs a fault when it is first written, which is dear where the system itself
// is a guest; and matrices that are read once an inference miss the processor's page tables.
#ifndef INTMILL_KERNELS_PACKED_MEMORY_H
#define INTMILL_KERNELS_PACKED_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/status.h"

namespace intmill {

// While one lives, the calling thread's packed weights come out of its slabs. A slab is there until
// its last piece is gone, which may be on any thread.
class PackedMemory {
 public:
  PackedMemory() : previous_(current_) { current_ = this; }
  ~PackedMemory() { current_ = previous_; }
  PackedMemory(const PackedMemory&) = delete;
  PackedMemory& operator=(const PackedMemory&) = delete;

  // Zeroed memory, aligned as all is. Small pieces, and all without a PackedMemory, are their own.
  static Result<std::shared_ptr<std::byte>> Allocate(int64_t bytes);

 private:
  struct Slab;
  struct Piece;

  Result<std::shared_ptr<std::byte>> Take(int64_t bytes);
  // The piece that was taken last is free again, as those of kernels that failed a trial are.
  void GiveBack(const Slab* slab, int64_t begin, int64_t end);

  static thread_local PackedMemory* current_;
  PackedMemory* const previous_;
  std::shared_ptr<Slab> slab_;
  int64_t used_ = 0;     // of the slab
  int64_t written_ = 0;  // of the slab: what is behind is still zero
};

}  // namespace intmill

#endif  // INTMILL_KERNELS_PACKED_MEMORY_H
