// The arena: where each temporary lies, so that tensors that are never alive together share memory.
#ifndef INTMILL_ENGINE_ARENA_H
#define INTMILL_ENGINE_ARENA_H

#include <cstdint>
#include <vector>

#include "base/status.h"

namespace intmill {

// A buffer that is alive from step `first` to step `last`, both included.
struct ArenaBuffer {
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;
  int64_t offset = 0;  // set by PlanArena, a multiple of kAlignment
};

struct ArenaSize {
  int64_t bytes = 0;        // what the offsets need
  int64_t lower_bound = 0;  // the largest sum of buffers alive at one step: no plan needs less
};

// Greedy: the largest buffer first, each into the tightest gap left between buffers whose lives
// overlap with its own. Where that needs more than the lower bound, the buffers that reached the
// top go first in another round, and the best round counts. Where parallel loops have several
// threads, buffers then move to where fewer bytes have been in another core's cache; that may take
// an eighth more than the lower bound, but not more than `budget` where less is enough.
// Deterministic.
Result<ArenaSize> PlanArena(std::vector<ArenaBuffer>& buffers, int64_t budget);

}  // namespace intmill

#endif  // INTMILL_ENGINE_ARENA_H
