// Memory that will be written: with AVX-512 its lines are asked for as ones to own. Called through
// the table of loops, as gcc leaves out direct calls of what only fetches: it has no result.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {

void FetchLines(void* at, int64_t bytes) {
  constexpr int64_t kLine = 64;
  for (int64_t i = 0; i < bytes; i += kLine) __builtin_prefetch(static_cast<char*>(at) + i, 1);
}

}  // namespace intmill::native::INTMILL_LEVEL
