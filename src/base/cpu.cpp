// Reads CPUID for instruction sets; affinity and cgroup quotas for cores.
#include "base/cpu.h"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

namespace intmill {
namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers Cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  if (__get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

constexpr bool Bits(uint32_t value, std::initializer_list<int> bits) {
  return std::all_of(bits.begin(), bits.end(),
                     [value](int bit) { return ((value >> bit) & 1) != 0; });
}

// Which register files the operating system saves (XCR0); without OSXSAVE, none.
uint32_t SavedStates() {
  if (!Bits(Cpuid(1, 0).ecx, {27})) return 0;
  uint32_t low = 0;
  uint32_t high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Bit numbers: Intel SDM volume 2A, CPUID; volume 1, chapter 13 for XCR0.
Isa Detect() {
  const uint32_t saved = SavedStates();
  const Registers basic = Cpuid(1, 0);
  const Registers extended = Cpuid(7, 0);
  const Registers more = Cpuid(7, 1);
  const bool avx2 = Bits(saved, {1, 2}) && Bits(basic.ecx, {12, 28}) && Bits(extended.ebx, {5});
  if (!avx2) return Isa::kBaseline;
  const bool avx512 = Bits(saved, {5, 6, 7}) && Bits(extended.ebx, {16, 17, 30, 31});
  if (!avx512) return Bits(more.eax, {4}) ? Isa::kAvx2Vnni : Isa::kAvx2;
  if (!Bits(extended.ecx, {11})) return Isa::kAvx512;
  if (!Bits(more.eax, {5})) return Isa::kAvx512Vnni;
  const bool amx = Bits(saved, {17, 18}) && Bits(extended.edx, {22, 24, 25});
  return amx ? Isa::kAmx : Isa::kAvx512Bf16;
}

// The brand string: 48 bytes in leaves 0x80000002 to 0x80000004.
std::string ReadName() {
  std::string name;
  for (uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    const Registers r = Cpuid(leaf, 0);
    for (const uint32_t word : {r.eax, r.ebx, r.ecx, r.edx}) {
      char text[4];
      std::memcpy(text, &word, sizeof text);
      name.append(text, sizeof text);
    }
  }
  return name;
}

#else

Isa Detect() { return Isa::kBaseline; }
std::string ReadName() { return {}; }

#endif

int64_t AffinityCpus() {
  // The kernel's mask may be wider than cpu_set_t; it says EINVAL until the buffer is wide enough.
  for (int cpus = 1024; cpus <= (1 << 20); cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(static_cast<size_t>(cpus));
    if (set == nullptr) return 1;
    const size_t bytes = CPU_ALLOC_SIZE(static_cast<size_t>(cpus));
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int error = errno;
    const int64_t count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return std::max<int64_t>(count, 1);
    if (error != EINVAL) return 1;
  }
  return 1;
}

// "max 100000" or "150000 100000": time allowed in each period, in microseconds.
int64_t QuotaCpus(const std::string& cpu_max_file, int64_t limit) {
  std::ifstream file(cpu_max_file);
  int64_t quota = 0;
  int64_t period = 0;
  if (!(file >> quota >> period) || quota <= 0 || period <= 0) return limit;
  return std::clamp<int64_t>((quota + period - 1) / period, 1, limit);
}

// The smallest quota of this process's cgroup (version 2) and of those around it.
int64_t CgroupCpus(int64_t limit) {
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("0::", 0) != 0) continue;
    std::string group = line.substr(3);
    while (true) {
      limit = QuotaCpus("/sys/fs/cgroup" + group + "/cpu.max", limit);
      const size_t slash = group.rfind('/');
      if (slash == std::string::npos || group.empty()) break;
      group.resize(slash);
    }
  }
  return limit;
}

}  // namespace

Isa DetectIsa() {
  static const Isa isa = Detect();
  return isa;
}

const char* IsaName(Isa isa) {
  switch (isa) {
    case Isa::kBaseline:
      return "baseline";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx2Vnni:
      return "avx2_vnni";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512_vnni";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAmx:
      return "amx";
    case Isa::kAll:
      return "all";
  }
  return "unknown";
}

bool HasVnni(Isa isa) {
  return isa == Isa::kAvx2Vnni || isa == Isa::kAvx512Vnni || isa == Isa::kAvx512Bf16 ||
         isa == Isa::kAmx || isa == Isa::kAll;
}

bool HasVbmi() {
#if defined(__x86_64__)
  static const bool has = Bits(Cpuid(7, 0).ecx, {1});
  return has;
#else
  return false;
#endif
}

bool CachesAreDescribed() {
#if defined(__x86_64__)
  // The first cache of Intel's leaf 4, or of AMD's leaf, which counts where TOPOEXT is set: a type
  // of 0 ends the list (AMD APM volume 3, Fn8000_001D).
  constexpr uint32_t kTypeBits = 0x1f;
  static const bool described = [] {
    const bool has_topology = Bits(Cpuid(0x80000001, 0).ecx, {22});
    return (Cpuid(4, 0).eax & kTypeBits) != 0 ||
           (has_topology && (Cpuid(0x8000001d, 0).eax & kTypeBits) != 0);
  }();
  return described;
#else
  return true;
#endif
}

std::string CpuName() {
  std::string name = ReadName();
  name.resize(std::min(name.find('\0'), name.size()));
  while (!name.empty() && name.back() == ' ') name.pop_back();
  name.erase(0, std::min(name.find_first_not_of(' '), name.size()));
  return name.empty() ? "unknown" : name;
}

int64_t MachineCpus() { return std::max<int64_t>(sysconf(_SC_NPROCESSORS_ONLN), 1); }

bool CanGenerateCode() {
  constexpr size_t kBytes = 4096;
  void* page =
      mmap(nullptr, kBytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  munmap(page, kBytes);
  return true;
}

int64_t AvailableCpus() {
  static const int64_t cpus = CgroupCpus(AffinityCpus());
  return cpus;
}

}  // namespace intmill
