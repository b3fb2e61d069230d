// A step without a fast kernel: the operator's reference behind the kernel interface.
#ifndef INTMILL_ENGINE_REFERENCE_KERNEL_H
#define INTMILL_ENGINE_REFERENCE_KERNEL_H

#include <memory>

#include "base/status.h"
#include "ir/op.h"
#include "kernels/kernel.h"

namespace intmill {

// Handles any layout, integers that stand for real numbers, and post-ops: inputs are brought to
// row-major float, the reference runs, post-ops are applied, and the result is quantized.
Result<std::unique_ptr<Kernel>> MakeReferenceKernel(const LowerArgs& args);

// Brings a row-major tensor to channels-last memory or back.
std::unique_ptr<Kernel> MakeReorder(const Shape& shape, DType dtype, Layout to, Isa isa);

// Copies bytes: a graph output that is also an input, a constant, or another output.
std::unique_ptr<Kernel> MakeCopy(int64_t bytes);

}  // namespace intmill

#endif  // INTMILL_ENGINE_REFERENCE_KERNEL_H
