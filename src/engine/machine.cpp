// Facts about the machine, each with a note when it makes models slow.
#include "engine/machine.h"

#include "kernels/onednn/runtime.h"

namespace intmill {
namespace {

std::string IsaNote(Isa detected, Isa effective) {
  if (effective != detected)
    return Cat("kernels use less than the processor has (", IsaName(detected),
               "): a limit is set, or ONEDNN_MAX_CPU_ISA; float results depend on it");
  if (!HasVnni(effective))
    return "no 8-bit dot product: quantized models gain less speed on this processor";
  return "";
}

std::string ThreadsNote(int64_t usable, int64_t machine) {
  if (usable >= machine) return "";
  return "the affinity mask or the cgroup's quota leaves this process fewer CPUs than there are";
}

}  // namespace

std::string KernelLibraries() {
  return Cat("oneDNN ", OnednnRunsWith(), " (built with ", OnednnBuiltWith(), ")");
}

bool MultipliesBf16() { return HasBf16(EffectiveIsa()); }

Status LimitIsa(Isa highest) { return SetIsaLimit(highest); }

Table DescribeMachine(const std::string& version) {
  const Isa detected = DetectIsa();
  const Isa effective = EffectiveIsa();
  const bool writes_code = CanGenerateCode();
  const std::string threading = OnednnThreading();
  Table table{.columns = {"key", "value", "note"}, .rows = {}};
  const auto add = [&](const char* key, std::string value, std::string note = "") {
    table.Add({std::string(key), std::move(value), std::move(note)});
  };
  add("version", version);
  add("cpu", CpuName());
  add("isa_detected", IsaName(detected));
  add("isa_effective", IsaName(effective), IsaNote(detected, effective));
  add("onednn_version", OnednnRunsWith());
  add("onednn_threading", threading,
      threading == "omp" ? "" : "oneDNN was built without OpenMP: threads are not shared with it");
  add("caches", CachesAreDescribed() ? "described" : "hidden",
      CachesAreDescribed() ? "" : "a hypervisor hides their sizes: kernels are planned blindly");
  add("cpus", Cat(MachineCpus()));
  add("threads", Cat(AvailableCpus()), ThreadsNote(AvailableCpus(), MachineCpus()));
  add("write_execute", writes_code ? "allowed" : "denied",
      writes_code ? "" : "kernels cannot be generated at run time: allow W+X memory for speed");
  return table;
}

}  // namespace intmill
