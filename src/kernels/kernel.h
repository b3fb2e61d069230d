// Kernel: code chosen, with weights packed, for one step of a plan; immutable and shared by
// threads.
#ifndef INTMILL_KERNELS_KERNEL_H
#define INTMILL_KERNELS_KERNEL_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "kernels/tile_use.h"

namespace intmill {

// Where the operands of one run lie. Absent inputs and constants that the kernel packed are null.
struct RunArgs {
  std::span<const void* const> inputs;
  std::span<void* const> outputs;
  std::byte* scratch = nullptr;  // 64-byte aligned, scratch_bytes() long, contents undefined
  // What a step soon after this one reads first (Kernel::first_read): worth asking for by the end.
  std::span<const std::byte> ahead = {};
  TileUse* tiles = nullptr;  // outlives the run of several steps; null: a kernel releases its own
};

// What a kernel needs once per run state, such as argument objects that cannot be shared.
class KernelState {
 public:
  virtual ~KernelState() = default;
};

class Kernel {
 public:
  virtual ~Kernel() = default;

  // For the profile: implementation and ISA, e.g. "onednn brg_conv:avx512_core_vnni".
  virtual std::string_view name() const = 0;
  virtual int64_t scratch_bytes() const { return 0; }
  virtual int64_t packed_bytes() const { return 0; }
  // True when input i was packed at creation and is not read by Run.
  virtual bool packs_input(int64_t /*i*/) const { return false; }
  // Memory of its own that Run reads first, where runs before have not left it in a cache.
  virtual std::span<const std::byte> first_read() const { return {}; }
  // True when Run starts OpenMP regions other than by base/parallel.
  virtual bool starts_regions() const { return false; }
  virtual Result<std::unique_ptr<KernelState>> MakeState() const { return {nullptr}; }
  // Thread-safe for different (args, state). Allocates nothing.
  virtual Status Run(const RunArgs& args, KernelState* state) const = 0;
};

// What the factories of kernels return: MakeKernel<UnaryKernel>(arguments of its constructor).
template <typename K, typename... Args>
Result<std::unique_ptr<Kernel>> MakeKernel(Args&&... args) {
  return std::unique_ptr<Kernel>(std::make_unique<K>(std::forward<Args>(args)...));
}

}  // namespace intmill

#endif  // INTMILL_KERNELS_KERNEL_H
