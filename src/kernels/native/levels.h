// Which of the compiled levels of the hot loops an effective ISA may use.
#ifndef INTMILL_KERNELS_NATIVE_LEVELS_H
#define INTMILL_KERNELS_NATIVE_LEVELS_H

#include "base/cpu.h"
#include "kernels/native/loops/loops.h"

namespace intmill::native {

// Asked once, when a kernel is made.
const Loops& LoopsFor(Isa isa);
TableLoop TableLoopFor(Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LEVELS_H
