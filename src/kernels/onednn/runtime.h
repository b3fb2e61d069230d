// oneDNN as a whole: which instruction set it will use, its version, whether it can make code.
#ifndef INTMILL_KERNELS_ONEDNN_RUNTIME_H
#define INTMILL_KERNELS_ONEDNN_RUNTIME_H

#include <string>

#include "base/cpu.h"
#include "base/status.h"
#include "tensor/dtype.h"

namespace intmill {

// What oneDNN will really use: the processor, capped by its environment variables and by
// SetIsaLimit. Fixed by the first question, at which oneDNN asks Linux for AMX tiles: a process
// that gets none has the level below.
Isa EffectiveIsa();

// Caps the instruction set for the whole process; kState once oneDNN has chosen.
Status SetIsaLimit(Isa isa);

std::string OnednnBuiltWith();  // "3.7.2"
std::string OnednnRunsWith();
std::string OnednnBuild();      // version, commit, build id of the library
std::string OnednnThreading();  // "omp"; anything else would run loops on two pools of threads

// OK, or why oneDNN cannot work here: a process that may not have writable and executable memory
// gets references and native kernels only. Tried once.
Status CheckCodeGeneration();

// Pairs of products of BF16 added to f32 in one instruction (AVX512_BF16), or whole tiles of them.
bool HasBf16(Isa isa);
// Whether oneDNN multiplies numbers of this type on `isa` as the graph says: 8-bit sums are exact
// with VNNI only, and without instructions for it BF16 is slower than f32. kUnsupported if not.
Status CheckProducts(DType dtype, Isa isa);

}  // namespace intmill

#endif  // INTMILL_KERNELS_ONEDNN_RUNTIME_H
