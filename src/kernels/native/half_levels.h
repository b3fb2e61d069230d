// Which of the compiled levels of the loops between floats and BF16 an effective ISA may use.
#ifndef INTMILL_KERNELS_NATIVE_HALF_LEVELS_H
#define INTMILL_KERNELS_NATIVE_HALF_LEVELS_H

#include "base/cpu.h"
#include "kernels/native/loops/half.h"

namespace intmill::native {

const HalfLoops& HalfLoopsFor(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_HALF_LEVELS_H
