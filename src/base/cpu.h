// What this CPU and this process may use: instruction sets and cores.
#ifndef INTMILL_BASE_CPU_H
#define INTMILL_BASE_CPU_H

#include <cstdint>
#include <string>

namespace intmill {

// The numbers are those of intmill_isa in the public header; only partly ordered.
enum class Isa {
  kBaseline = 0,
  kAvx2 = 10,
  kAvx2Vnni = 11,
  kAvx512 = 20,
  kAvx512Vnni = 21,
  kAvx512Bf16 = 22,
  kAmx = 30,
  kAll = 1000,
};

// What the processor and the operating system offer, before any cap.
Isa DetectIsa();
const char* IsaName(Isa isa);
// u8 x s8 products are summed exactly by these; elsewhere adjacent pairs saturate at 16 bits.
bool HasVnni(Isa isa);
// Bytes permuted across a register (AVX-512 VBMI), which no level of Isa promises.
bool HasVbmi();

// CPUs this process may use: affinity mask and cgroup quota, at least 1. Read once.
int64_t AvailableCpus();
// CPUs of the machine that are switched on.
int64_t MachineCpus();
// Whether the processor says how large its caches are. Some hypervisors hide it, and oneDNN then
// plans with caches of no size.
bool CachesAreDescribed();
// "AMD EPYC 9654 ..."; "unknown" where the processor does not tell.
std::string CpuName();
// Whether memory may be written and run, which kernels made at run time need. Some hardened
// systems (systemd's MemoryDenyWriteExecute, SELinux) forbid it.
bool CanGenerateCode();

}  // namespace intmill

#endif  // INTMILL_BASE_CPU_H
