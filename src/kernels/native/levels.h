// Which of the compiled levels of the hot loops an effective ISA may use.
#ifndef INTMILL_KERNELS_NATIVE_LEVELS_H
#define INTMILL_KERNELS_NATIVE_LEVELS_H

#include "base/cpu.h"
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/product.h"

namespace intmill::native {

// Asked once, when a kernel is made.
const Loops& LoopsFor(Isa isa);
TableLoop TableLoopFor(Isa isa);
// Null without AVX-512 VNNI. With AMX oneDNN multiplies whole tiles: for products that it can do.
struct Products {
  const ProductLoops* loops;
  const ProductPacking* packing;
  bool look_up;  // whether the processor has what ProductOutput::kEntries needs
};
const Products* ProductsFor(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LEVELS_H
