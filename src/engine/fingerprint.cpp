// Gathering the facts that kernels depend on, and comparing them.
#include "engine/fingerprint.h"

#include "base/cpu.h"
#include "base/identity.h"
#include "engine/machine.h"
#include "kernels/onednn/runtime.h"

namespace intmill {
namespace {

std::string ValueOf(const std::vector<CompiledFact>& facts, const std::string& name) {
  for (const CompiledFact& fact : facts)
    if (fact.name == name) return "'" + fact.value + "'";
  return "nothing";
}

}  // namespace

std::vector<CompiledFact> FingerprintOf(int64_t threads) {
  // A build packs weights as it will, whatever its version is called: its id tells it from others.
  static const std::string build =
      Cat(INTMILL_ENGINE_VERSION, " build ", BuildIdOf(reinterpret_cast<const void*>(&LimitIsa)));
  static const std::string onednn = OnednnBuild();
  static const std::string processor = ProcessorDigest();
  return {{"intmill", build},         {"onednn", onednn},
          {"cpu", CpuName()},         {"instructions", IsaName(EffectiveIsa())},
          {"cpu details", processor}, {"code generation", CanGenerateCode() ? "allowed" : "denied"},
          {"threads", Cat(threads)}};
}

Status CheckFingerprint(const std::vector<CompiledFact>& found,
                        const std::vector<CompiledFact>& wanted) {
  for (const CompiledFact& fact : wanted) {
    const std::string value = ValueOf(found, fact.name);
    if (value == "'" + fact.value + "'") continue;
    return Error(Code::kBadVersion, "the session was compiled for ", fact.name, " ", value,
                 ", wanted '", fact.value, "'");
  }
  if (found.size() == wanted.size()) return Ok();
  return Error(Code::kBadVersion, "the session was compiled for ", found.size(), " facts, wanted ",
               wanted.size());
}

}  // namespace intmill
