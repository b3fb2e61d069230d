#include "kernels/tile_use.h"

#include "base/parallel.h"

namespace intmill {
namespace {

void Release() {
#if defined(__x86_64__)
  asm volatile("tilerelease");
#endif
}

}  // namespace

TileUse::~TileUse() {
  if (in_parallel_)
    OnEachThread([] { Release(); });
  else if (alone_)
    Release();
}

}  // namespace intmill
