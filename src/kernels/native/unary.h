// Functions of one float, element by element.
#ifndef INTMILL_KERNELS_NATIVE_UNARY_H
#define INTMILL_KERNELS_NATIVE_UNARY_H

#include <memory>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native {

struct Unary {
  UnaryFunction function = UnaryFunction::kIdentity;
  float alpha = 0;
  float beta = 0;
};

// f32 to f32, both dense and in the same order; input and output may be the same memory.
Result<std::unique_ptr<Kernel>> MakeUnary(const Unary& unary, int64_t elements, Isa isa);

// Any other function of one number, from one type to another: a row of n elements.
using RowUnary = void (*)(const void* in, void* out, int64_t n);
Result<std::unique_ptr<Kernel>> MakeRowUnary(RowUnary function, int64_t input_bytes,
                                             int64_t output_bytes, int64_t elements);
// f32 to bf16, and back.
RowUnary NarrowBf16For(Isa isa);
RowUnary WidenBf16For(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_UNARY_H
