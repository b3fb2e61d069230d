// Which of the compiled levels of the hot loops an effective ISA may use.
#include "kernels/native/levels.h"

#include <algorithm>

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
extern const ProductLoop kProductSums;
extern const ProductLoops kProductLoops;
extern const ProductPacking kProductPacking;
}  // namespace avx512_vnni
namespace amx {
extern const ProductLoops kProductLoops;
}
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

const ProductSums* ProductSumsFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  static const ProductSums kSums = {avx512_vnni::kProductSums, &avx512_vnni::kProductPacking};
  if (isa >= Isa::kAvx512Vnni) return &kSums;
#endif
  return nullptr;
}

int64_t TileStep(int64_t depth) {
  constexpr int64_t kMost = 16;  // groups: rows of a tile
  const int64_t groups = depth / kProductGroup;
  const int64_t fewest = (groups + kMost - 1) / kMost;
  for (int64_t steps = std::max<int64_t>(1, fewest); steps <= fewest + fewest / 2; ++steps)
    if (groups % steps == 0) return groups / steps * kProductGroup;
  return 0;
}

const Products* ProductsFor([[maybe_unused]] Isa isa, [[maybe_unused]] int64_t depth) {
#if defined(__x86_64__)
  static const Products kVnni = {"avx512_vnni", &avx512_vnni::kProductLoops,
                                 &avx512_vnni::kProductPacking, HasVbmi(), false};
  static const Products kTiles = {"amx", &amx::kProductLoops, &avx512_vnni::kProductPacking,
                                  HasVbmi(), true};
  if (isa >= Isa::kAmx && TileStep(depth) > 0) return &kTiles;
  if (isa >= Isa::kAvx512Vnni) return &kVnni;
#endif
  return nullptr;
}

}  // namespace intmill::native
