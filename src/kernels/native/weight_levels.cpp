// Which of the compiled levels of the weight-only loops an effective ISA may use.
#include "kernels/native/weight_levels.h"

namespace intmill::native {

namespace baseline {
extern const WeightLoops kWeightLoops;
}
#if defined(__x86_64__)
namespace avx2_fma {
extern const WeightLoops kWeightLoops;
}
namespace avx512 {
extern const WeightLoops kWeightLoops;
}
#endif

// Every processor that is taken for one with AVX2 has FMA as well (base/cpu.cpp).
const WeightLoops& WeightLoopsFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return avx512::kWeightLoops;
  if (isa >= Isa::kAvx2) return avx2_fma::kWeightLoops;
#endif
  return baseline::kWeightLoops;
}

}  // namespace intmill::native
