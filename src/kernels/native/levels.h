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
struct Products {
  const char* level;
  const ProductLoops* loops;
  const ProductPacking* packing;
  bool look_up;  // whether the processor has what ProductOutput::kEntries needs
  bool has_tiles;
};
// For products of this depth, a multiple of 4. Null without AVX-512 VNNI.
const Products* ProductsFor(Isa isa, int64_t depth);
// Sums as they are, of any depth. Null without AVX-512 VNNI.
struct ProductSums {
  ProductLoop loop;
  const ProductPacking* packing;
};
const ProductSums* ProductSumsFor(Isa isa);
// ProductPanel::step: 0 where parts of a depth would leave much of the tiles empty.
int64_t TileStep(int64_t depth);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LEVELS_H
