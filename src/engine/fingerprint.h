// What decides which kernels this process makes of a model.
#ifndef INTMILL_ENGINE_FINGERPRINT_H
#define INTMILL_ENGINE_FINGERPRINT_H

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "ir/compiled.h"

namespace intmill {

// Of sessions with so many threads. Fixes the limit of LimitIsa, like a first kernel.
std::vector<CompiledFact> FingerprintOf(int64_t threads);

// kBadVersion, naming what was found and wanted, when facts differ.
Status CheckFingerprint(const std::vector<CompiledFact>& found,
                        const std::vector<CompiledFact>& wanted);

}  // namespace intmill

#endif  // INTMILL_ENGINE_FINGERPRINT_H
