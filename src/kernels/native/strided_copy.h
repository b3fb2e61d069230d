// Moving elements between two arrangements of memory: the kernel behind Transpose, Slice, Concat,
// Split, Expand, Tile and DepthToSpace.
#ifndef INTMILL_KERNELS_NATIVE_STRIDED_COPY_H
#define INTMILL_KERNELS_NATIVE_STRIDED_COPY_H

#include <memory>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "kernels/native/table.h"

namespace intmill::native {

// One block of elements, from one input to one output. Offsets and strides are in elements; output
// strides are positive and no element is written twice.
struct CopyPart {
  int64_t input = 0;
  int64_t output = 0;
  int64_t input_offset = 0;
  int64_t output_offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> input_strides;  // may be 0 or negative
  std::vector<int64_t> output_strides;
  std::shared_ptr<const ByteTable> table;  // of one byte: what becomes of it; null: nothing
};

// Elements of 1, 2, 4 or 8 bytes. Inputs and outputs must not overlap.
Result<std::unique_ptr<Kernel>> MakeStridedCopy(int64_t element_bytes, std::vector<CopyPart> parts,
                                                Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_STRIDED_COPY_H
