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
// Null where oneDNN is the better or the only one: without AVX-512 VNNI, and with AMX.
const ProductLoops* ProductLoopsFor(Isa isa);

// Products of matrices that only a run knows: null without AVX-512 VNNI.
struct AttentionProducts {
  const ProductLoops* loops;
  const AttentionPacking* packing;
};
const AttentionProducts* AttentionProductsFor(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LEVELS_H
