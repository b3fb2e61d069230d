// Build ids from the program headers in memory; the processor from CPUID.
#include "base/identity.h"

#include <link.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdint>
#include <cstring>
#include <span>

#include "base/digest.h"

namespace intmill {
namespace {

std::string Hex(std::span<const unsigned char> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char b : bytes) {
    hex += kDigits[b >> 4];
    hex += kDigits[b & 15];
  }
  return hex;
}

struct Search {
  uintptr_t address;
  std::string build_id;
};

bool Holds(const dl_phdr_info& module, uintptr_t address) {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = module.dlpi_phdr[i];
    const uintptr_t begin = module.dlpi_addr + part.p_vaddr;
    if (part.p_type == PT_LOAD && address >= begin && address - begin < part.p_memsz) return true;
  }
  return false;
}

// Notes are a name and a description, each padded to the alignment of the segment.
std::string BuildIdIn(const unsigned char* notes, size_t bytes, size_t alignment) {
  const auto padded = [&](size_t n) { return (n + alignment - 1) / alignment * alignment; };
  while (bytes >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof note);
    const size_t text = sizeof note + padded(note.n_namesz);
    const size_t size = text + padded(note.n_descsz);
    if (size > bytes) return {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(notes + sizeof note, "GNU", 4) == 0)
      return Hex({notes + text, note.n_descsz});
    notes += size;
    bytes -= size;
  }
  return {};
}

int Visit(dl_phdr_info* module, size_t, void* opaque) {
  Search& search = *static_cast<Search*>(opaque);
  if (!Holds(*module, search.address)) return 0;
  for (int i = 0; i < module->dlpi_phnum && search.build_id.empty(); ++i) {
    const ElfW(Phdr)& part = module->dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the dynamic linker gives addresses as numbers
    const void* notes = reinterpret_cast<const void*>(module->dlpi_addr + part.p_vaddr);
    search.build_id = BuildIdIn(static_cast<const unsigned char*>(notes), part.p_memsz,
                                part.p_align == 8 ? 8 : 4);
  }
  return 1;
}

}  // namespace

std::string BuildIdOf(const void* address) {
  Search search = {.address = reinterpret_cast<uintptr_t>(address), .build_id = {}};
  dl_iterate_phdr(Visit, &search);
  return search.build_id.empty() ? "unknown" : search.build_id;
}

std::string ProcessorDigest() {
  Digest digest;
#if defined(__x86_64__)
  struct Leaf {
    uint32_t leaf;
    uint32_t subleaves;
    uint32_t masks[4];  // of eax, ebx, ecx, edx: what is the same on all cores, always
  };
  constexpr uint32_t kAll = UINT32_MAX;
  constexpr uint32_t kOsxsave = 1u << 27;
  // Intel SDM volume 2A, CPUID; AMD APM volume 3, appendix E: maker, model and features; caches;
  // extended features; levels of the topology; AMD's features, caches and core counts.
  constexpr Leaf kLeaves[] = {
      {0, 1, {kAll, kAll, kAll, kAll}},          {1, 1, {kAll, 0xff00, ~kOsxsave, kAll}},
      {4, 6, {kAll, kAll, kAll, kAll}},          {7, 3, {kAll, kAll, kAll, kAll}},
      {0xb, 2, {kAll, kAll, kAll, 0}},           {0x80000001, 1, {kAll, kAll, kAll, kAll}},
      {0x80000005, 1, {kAll, kAll, kAll, kAll}}, {0x80000006, 1, {kAll, kAll, kAll, kAll}},
      {0x8000001d, 6, {kAll, kAll, kAll, kAll}},
  };
  for (const Leaf& leaf : kLeaves) {
    for (uint32_t i = 0; i < leaf.subleaves; ++i) {
      uint32_t r[4] = {};
      if (__get_cpuid_count(leaf.leaf, i, &r[0], &r[1], &r[2], &r[3]) == 0) break;
      for (int k = 0; k < 4; ++k) digest.AddNumber(r[k] & leaf.masks[k]);
    }
  }
#endif
  return digest.Hex();
}

}  // namespace intmill
