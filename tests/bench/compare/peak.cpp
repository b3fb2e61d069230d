// The most a core can do, by a loop that does nothing else.
#include "bench/compare/peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "bench/compare/statistics.h"

namespace intmill::bench {

#if defined(__x86_64__)

namespace {

// Half a millisecond, so that on a busy machine some tries have the core to themselves.
constexpr int64_t kTurns = 250'000;
constexpr int64_t kTileTurns = 20'000;
constexpr int kTries = 400;

// Two a cycle with five cycles of latency need ten.
constexpr double kOperationsPerTurn = 12 * 64 * 2;
constexpr double kOperationsPerTileTurn = 4 * 16 * 16 * 64 * 2;

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

struct alignas(64) TileShapes {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

void TileProducts(int64_t turns) {
  const TileShapes shapes;
  asm volatile(
      "ldtilecfg %1\n"
      "1:\n"
      "tdpbusd %%tmm6, %%tmm4, %%tmm0\n"
      "tdpbusd %%tmm7, %%tmm4, %%tmm1\n"
      "tdpbusd %%tmm6, %%tmm5, %%tmm2\n"
      "tdpbusd %%tmm7, %%tmm5, %%tmm3\n"
      "sub $1, %0\n"
      "jnz 1b\n"
      "tilerelease\n"
      : "+r"(turns)
      : "m"(shapes)
      : "cc");
}

double BestGops(void (*products)(int64_t), int64_t turns, double operations_per_turn) {
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    products(turns);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    const double operations = operations_per_turn * static_cast<double>(turns);
    best = std::max(best, operations / seconds.count() / 1e9);
  }
  return best;
}

}  // namespace

double MeasurePeakGops(bool may_use_tiles) {
  if (may_use_tiles) return BestGops(TileProducts, kTileTurns, kOperationsPerTileTurn);
  if (!__builtin_cpu_supports("avx512vnni")) return kNone;
  return BestGops(DotProducts, kTurns, kOperationsPerTurn);
}

#else

double MeasurePeakGops(bool) { return kNone; }

#endif

}  // namespace intmill::bench
