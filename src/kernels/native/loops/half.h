// Floats to bfloat16, rounded half to even, NaN staying NaN; and back: one source, compiled once
// for each level. What loops.h says holds here, too.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_HALF_H
#define INTMILL_KERNELS_NATIVE_LOOPS_HALF_H

#include <stdint.h>

namespace intmill::native {

using HalfLoop = void (*)(const void* x, void* y, int64_t n);

struct HalfLoops {
  HalfLoop narrow_bf16;  // f32 to bf16
  HalfLoop widen_bf16;   // bf16 to f32
};

#ifdef INTMILL_LEVEL
namespace INTMILL_LEVEL {
extern const HalfLoops kHalfLoops;
}
#endif

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_HALF_H
