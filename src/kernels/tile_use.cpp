#include "kernels/tile_use.h"

#include "base/parallel.h"

namespace intmill {
namespace {

void ReleaseTiles() {
#if defined(__x86_64__)
  asm volatile("tilerelease");
#endif
}

}  // namespace

void TileUse::Release() {
  if (in_parallel_)
    OnEachThread([] { ReleaseTiles(); });
  else if (alone_)
    ReleaseTiles();
  alone_ = in_parallel_ = false;
}

}  // namespace intmill
