// The most a core can do, by a loop that does nothing else.
#include "bench/compare/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "bench/compare/statistics.h"

namespace intmill::bench {

#if defined(__x86_64__)

namespace {

constexpr int kProductsPerTurn = 12;  // two a cycle with five cycles of latency need ten
constexpr double kOperationsPerProduct = 64 * 2;
// Half a millisecond, so that on a busy machine some tries have the core to themselves.
constexpr int64_t kTurns = 250'000;
constexpr int kTries = 400;

// The sums wrap around; nobody reads them.
void DotProducts(int64_t turns) {
  asm volatile(
      "1:\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm0\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm1\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm2\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm3\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm4\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm5\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm6\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm7\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm8\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm9\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm10\n"
      "vpdpbusd %%zmm15, %%zmm14, %%zmm11\n"
      "sub $1, %0\n"
      "jnz 1b\n"
      "vzeroupper\n"
      : "+r"(turns)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
        "xmm10", "xmm11", "xmm14", "xmm15");
}

}  // namespace

double MeasurePeakGops() {
  if (!__builtin_cpu_supports("avx512vnni")) return kNone;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    DotProducts(kTurns);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const double operations = kOperationsPerProduct * kProductsPerTurn * double{kTurns};
    best = std::max(best, operations / seconds.count() / 1e9);
  }
  return best;
}

#else

double MeasurePeakGops() { return kNone; }

#endif

}  // namespace intmill::bench
