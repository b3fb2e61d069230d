// What decides on this machine whether models run fast: facts, and what is wrong with them.
#ifndef INTMILL_ENGINE_MACHINE_H
#define INTMILL_ENGINE_MACHINE_H

#include <string>

#include "base/cpu.h"
#include "base/status.h"
#include "base/table.h"

namespace intmill {

// key, value, note; `version` is the library's. Fixes the limit of LimitIsa, like a first kernel.
Table DescribeMachine(const std::string& version);

// "oneDNN 3.7.2 (built with 3.7.2)"
std::string KernelLibraries();

// Limits the instruction sets of all kernels of the process; kState when one was built already.
Status LimitIsa(Isa highest);

// Whether there are fast kernels for products of BF16.
bool MultipliesBf16();

}  // namespace intmill

#endif  // INTMILL_ENGINE_MACHINE_H
