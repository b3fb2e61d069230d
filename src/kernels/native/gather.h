// Slices of one axis by indices known when the model runs.
#ifndef INTMILL_KERNELS_NATIVE_GATHER_H
#define INTMILL_KERNELS_NATIVE_GATHER_H

#include <memory>

#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::native {

// The data (input 0) is `outer` blocks of `axis` slices of `inner_bytes`; input 1 holds the indices
// in -axis..axis-1, and another one makes Run fail.
struct GatherShape {
  int64_t outer = 1;
  int64_t axis = 1;
  int64_t inner_bytes = 1;
  int64_t indices = 1;
  bool long_indices = true;  // s64, else s32
};
Result<std::unique_ptr<Kernel>> MakeGather(const GatherShape& shape);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_GATHER_H
