// Which of the compiled levels of the weight-only loops an effective ISA may use.
#ifndef INTMILL_KERNELS_NATIVE_WEIGHT_LEVELS_H
#define INTMILL_KERNELS_NATIVE_WEIGHT_LEVELS_H

#include "base/cpu.h"
#include "kernels/native/loops/weight_only.h"

namespace intmill::native {

const WeightLoops& WeightLoopsFor(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_WEIGHT_LEVELS_H
