// Which of the compiled levels of the loops between floats and BF16 an effective ISA may use.
#include "kernels/native/half_levels.h"

namespace intmill::native {

namespace baseline {
extern const HalfLoops kHalfLoops;
}
#if defined(__x86_64__)
namespace avx2 {
extern const HalfLoops kHalfLoops;
}
namespace avx512 {
extern const HalfLoops kHalfLoops;
}
#endif

const HalfLoops& HalfLoopsFor([[maybe_unused]] Isa isa) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx512) return avx512::kHalfLoops;
  if (isa >= Isa::kAvx2) return avx2::kHalfLoops;
#endif
  return baseline::kHalfLoops;
}

}  // namespace intmill::native
