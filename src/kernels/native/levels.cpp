// Which of the compiled levels of the hot loops an effective ISA may use.
#include "kernels/native/levels.h"

namespace intmill::native {

namespace baseline {
extern const Loops kLoops;
void TableRow(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);
}  // namespace baseline
#if defined(__x86_64__)
namespace avx2 {
extern const Loops kLoops;
}
namespace avx2_vnni {
extern const DepthwiseLoops kDepthwiseLoops;
}
namespace avx512 {
extern const Loops kLoops;
}
namespace avx512_vnni {
extern const DepthwiseLoops kDepthwiseLoops;
extern const ProductLoops kProductLoops;
extern const ProductPacking kProductPacking;
}  // namespace avx512_vnni
namespace avx512_vbmi {
void TableRow(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);
}
#endif

#if defined(__x86_64__)
namespace {

Loops WithVnni(Loops loops, const char* level, const DepthwiseLoops& depthwise) {
  loops.level = level;
  loops.depthwise = &depthwise;
  return loops;
}

}  // namespace
#endif

const Loops& LoopsFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  static const Loops kAvx512Vnni =
      WithVnni(avx512::kLoops, "avx512_vnni", avx512_vnni::kDepthwiseLoops);
  static const Loops kAvx2Vnni = WithVnni(avx2::kLoops, "avx2_vnni", avx2_vnni::kDepthwiseLoops);
  if (isa >= Isa::kAvx512Vnni) return kAvx512Vnni;
  if (isa >= Isa::kAvx512) return avx512::kLoops;
  if (isa >= Isa::kAvx2Vnni) return kAvx2Vnni;
  if (isa >= Isa::kAvx2) return avx2::kLoops;
#endif
  return baseline::kLoops;
}

TableLoop TableLoopFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  // Cascade Lake has VNNI without it.
  if (isa >= Isa::kAvx512Vnni && HasVbmi()) return avx512_vbmi::TableRow;
#endif
  return baseline::TableRow;
}

const Products* ProductsFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  static const Products kProducts = {&avx512_vnni::kProductLoops, &avx512_vnni::kProductPacking,
                                     HasVbmi()};
  if (isa >= Isa::kAvx512Vnni) return &kProducts;
#endif
  return nullptr;
}

}  // namespace intmill::native
