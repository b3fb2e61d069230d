// Dense output whose elements come from an input, or are one constant.
#ifndef INTMILL_KERNELS_NATIVE_PAD_H
#define INTMILL_KERNELS_NATIVE_PAD_H

#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::native {

// For each axis of the output, in the order of its memory, and each position on it: how far its
// elements lie into the input, in elements, or -1 for the constant.
struct PadSources {
  std::vector<std::vector<int64_t>> offsets;
  uint64_t fill = 0;  // the constant, in the low bits
};
Result<std::unique_ptr<Kernel>> MakePad(const PadSources& sources, int64_t element_bits);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_PAD_H
