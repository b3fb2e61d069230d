// oneDNN as a whole: which instruction set it will use, its version, whether it can make code.
#ifndef INTMILL_KERNELS_ONEDNN_RUNTIME_H
#define INTMILL_KERNELS_ONEDNN_RUNTIME_H

#include <string>

#include "base/cpu.h"
#include "base/status.h"

namespace intmill {

// What oneDNN will really use: the processor, capped by its environment variables and by
// SetIsaLimit. Fixed by the first question.
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

}  // namespace intmill

#endif  // INTMILL_KERNELS_ONEDNN_RUNTIME_H
