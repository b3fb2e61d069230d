// Products of u8 and s8 matrices with AVX-512 VNNI. A block of rows and up to four registers of
// columns has its sums in registers for the whole depth; each instruction adds four products to
// each of sixteen columns.
#include <immintrin.h>

#include "kernels/native/loops/product.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

// Sums of a block: few enough that two dozen registers hold them.
constexpr int kSums = 24;

[[gnu::always_inline]] inline __m512i Broadcast(const uint8_t* four) {
  int32_t bits;
  __builtin_memcpy(&bits, four, sizeof bits);
  return _mm512_set1_epi32(bits);
}

// Arrays of sums would be kept in memory, and so would sums that an intrinsic adds to (gcc 12): so
// each has a name, and the instruction is written out.
// clang-format off
#define INTMILL_EACH_SUM(X)                                                          \
  X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)    \
  X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)
// clang-format on

// What a block fetches while it multiplies: `step` bytes further with each group of the depth.
struct Ahead {
  const uint8_t* from;
  int64_t step;
};

// Sum i is of row i / kRegisters, register i % kRegisters.
template <int kRows, int kRegisters, bool kFetches>
void Multiply(const uint8_t* a, int64_t a_step, const ProductPanel& panel, const Ahead& ahead,
              int32_t* sums) {
  static_assert(kRows * kRegisters <= kSums);
  constexpr int kUsed = kRows * kRegisters;
  const uint8_t* weights = panel.weights;
  [[maybe_unused]] const uint8_t* fetched = ahead.from;
#define INTMILL_START(i)                                                               \
  __m512i sum##i = i < kUsed ? _mm512_loadu_si512(panel.start + 16 * (i % kRegisters)) \
                             : _mm512_setzero_si512();
  INTMILL_EACH_SUM(INTMILL_START)
#undef INTMILL_START
  for (int64_t k = 0; k < panel.depth; k += kProductGroup) {
    if constexpr (kFetches) {
      _mm_prefetch(fetched, _MM_HINT_T1);
      fetched += ahead.step;
    }
    const __m512i w0 = _mm512_loadu_si512(weights);
    const __m512i w1 = kRegisters > 1 ? _mm512_loadu_si512(weights + 64) : w0;
    const __m512i w2 = kRegisters > 2 ? _mm512_loadu_si512(weights + 128) : w0;
    const __m512i w3 = kRegisters > 3 ? _mm512_loadu_si512(weights + 192) : w0;
    __m512i x = w0;
#define INTMILL_ADD(i)                                                              \
  if constexpr (i < kUsed) {                                                        \
    constexpr int kRegister = i % kRegisters;                                       \
    if constexpr (kRegister == 0) x = Broadcast(a + (i / kRegisters) * a_step + k); \
    asm("vpdpbusd %2, %1, %0"                                                       \
        : "+v"(sum##i)                                                              \
        : "v"(x), "v"(kRegister == 0   ? w0                                         \
                      : kRegister == 1 ? w1                                         \
                      : kRegister == 2 ? w2                                         \
                                       : w3));                                      \
  }
    INTMILL_EACH_SUM(INTMILL_ADD)
#undef INTMILL_ADD
    weights += 64 * kRegisters;
  }
#define INTMILL_STORE(i)   \
  if constexpr (i < kUsed) \
    _mm512_store_si512(sums + (i / kRegisters) * kProductColumns + 16 * (i % kRegisters), sum##i);
  INTMILL_EACH_SUM(INTMILL_STORE)
#undef INTMILL_STORE
}

template <ProductAddend kAddend>
[[gnu::always_inline]] inline __m512 Addend(const void* from, int64_t at, __mmask16 here) {
  if constexpr (kAddend == ProductAddend::kF32)
    return _mm512_maskz_loadu_ps(here, static_cast<const float*>(from) + at);
  const __m128i bytes = _mm_maskz_loadu_epi8(here, static_cast<const uint8_t*>(from) + at);
  return _mm512_cvtepi32_ps(kAddend == ProductAddend::kU8 ? _mm512_cvtepu8_epi32(bytes)
                                                          : _mm512_cvtepi8_epi32(bytes));
}

// Of two operands, one of them NaN, MINPS and MAXPS give the second.
template <ProductOutput kOutput>
[[gnu::always_inline]] inline void Store(__m512 t, void* out, int64_t at, __mmask16 here) {
  if constexpr (kOutput == ProductOutput::kF32) {
    _mm512_mask_storeu_ps(static_cast<float*>(out) + at, here, t);
  } else {
    constexpr float kLowest = kOutput == ProductOutput::kU8 ? 0.0f : -128.0f;
    t = _mm512_min_ps(_mm512_max_ps(t, _mm512_set1_ps(kLowest)), _mm512_set1_ps(kLowest + 255.0f));
    _mm512_mask_cvtepi32_storeu_epi8(static_cast<uint8_t*>(out) + at, here, _mm512_cvtps_epi32(t));
  }
}

template <ProductOutput kOutput, ProductAddend kAddend>
void Finish(const int32_t* sums, int64_t rows, const ProductPanel& p, const ProductFinish& finish,
            const ProductRows& r, int64_t first) {
  const ProductFinish f = finish;
  for (int64_t column = 0; column < p.columns; column += kProductLanes) {
    const int64_t left = p.columns - column;
    const auto here = static_cast<__mmask16>(left >= 16 ? 0xffff : (1 << left) - 1);
    const __m512 scale = _mm512_loadu_ps(p.scales + column);
    const __m512 bias = _mm512_loadu_ps(p.bias + column);
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t at = (first + i) * r.out_step + column;
      const __m512i sum = _mm512_load_si512(sums + i * kProductColumns + column);
      __m512 t = _mm512_cvtepi32_ps(sum) * scale;
      t = t + bias;
      if constexpr (kAddend != ProductAddend::kNone) t = t + Addend<kAddend>(r.addend, at, here);
      if (f.has_clamp)
        t = _mm512_min_ps(_mm512_max_ps(t, _mm512_set1_ps(f.low)), _mm512_set1_ps(f.high));
      t = t * _mm512_set1_ps(f.factor);
      if (f.zero_point != 0) t = t + _mm512_set1_ps(f.zero_point);
      Store<kOutput>(t, r.out, at, here);
    }
  }
}

// The block's part of the panel that comes next, so that the blocks together fetch all of it.
[[gnu::always_inline]] inline Ahead AheadOf(const ProductPanel& p, int64_t block, int64_t blocks,
                                            int64_t registers) {
  const int64_t step = (64 * registers + blocks - 1) / blocks;
  return {p.next + block * step * (p.depth / kProductGroup), step};
}

// Worth a multiplication by this much.
constexpr int64_t kDepthToFetch = 64;

// What a block is about to write, and to add, where it lies in rows far apart: processors do not
// foresee those.
template <ProductOutput kOutput, ProductAddend kAddend>
[[gnu::always_inline]] inline void FetchOutput(const ProductRows& r, const ProductPanel& p,
                                               int64_t first, int64_t rows) {
  constexpr int64_t kBytes = kOutput == ProductOutput::kF32 ? 4 : 1;
  constexpr int64_t kAddendBytes = kAddend == ProductAddend::kF32 ? 4 : 1;
  constexpr int64_t kLine = 64;
  if (p.columns == r.out_step || p.depth < kDepthToFetch) return;
  for (int64_t i = first; i < first + rows; ++i) {
    const char* out = static_cast<const char*>(r.out) + i * r.out_step * kBytes;
    for (int64_t at = 0; at < p.columns * kBytes; at += kLine) _mm_prefetch(out + at, _MM_HINT_T0);
    if constexpr (kAddend != ProductAddend::kNone) {
      const char* addend = static_cast<const char*>(r.addend) + i * r.out_step * kAddendBytes;
      for (int64_t at = 0; at < p.columns * kAddendBytes; at += kLine)
        _mm_prefetch(addend + at, _MM_HINT_T0);
    }
  }
}

// Blocks of rows, the last of which begins where it has as many as the others; few rows one by one.
template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters>
[[gnu::always_inline]] inline void ForBlocks(const ProductRows& r, const ProductPanel& p,
                                             const ProductFinish& f) {
  constexpr int kRows = ProductRowsFor(kRegisters);
  alignas(64) int32_t sums[kRows * kProductColumns];
  if (r.rows < kRows) {
    for (int64_t i = 0; i < r.rows; ++i) {
      Multiply<1, kRegisters, false>(r.a + i * r.a_step, r.a_step, p, {}, sums);
      Finish<kOutput, kAddend>(sums, 1, p, f, r, i);
    }
    return;
  }
  const int64_t blocks = (r.rows + kRows - 1) / kRows;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t first = i * kRows <= r.rows - kRows ? i * kRows : r.rows - kRows;
    FetchOutput<kOutput, kAddend>(r, p, first, kRows);
    const uint8_t* a = r.a + first * r.a_step;
    if (p.next == nullptr) {
      Multiply<kRows, kRegisters, false>(a, r.a_step, p, {}, sums);
    } else {
      const Ahead ahead = AheadOf(p, i, blocks, kRegisters);
      Multiply<kRows, kRegisters, true>(a, r.a_step, p, ahead, sums);
    }
    Finish<kOutput, kAddend>(sums, kRows, p, f, r, first);
  }
}

template <ProductOutput kOutput, ProductAddend kAddend>
void Run(const ProductRows& r, const ProductPanel& p, const ProductFinish& f) {
  switch ((p.columns + kProductLanes - 1) / kProductLanes) {
    case 1:
      return ForBlocks<kOutput, kAddend, 1>(r, p, f);
    case 2:
      return ForBlocks<kOutput, kAddend, 2>(r, p, f);
    case 3:
      return ForBlocks<kOutput, kAddend, 3>(r, p, f);
    default:
      return ForBlocks<kOutput, kAddend, 4>(r, p, f);
  }
}

}  // namespace

#define INTMILL_ADDENDS(output)                                          \
  {                                                                      \
    Run<output, ProductAddend::kNone>, Run<output, ProductAddend::kF32>, \
        Run<output, ProductAddend::kU8>, Run<output, ProductAddend::kS8> \
  }
extern const ProductLoops kProductLoops;
const ProductLoops kProductLoops = {{INTMILL_ADDENDS(ProductOutput::kU8),
                                     INTMILL_ADDENDS(ProductOutput::kS8),
                                     INTMILL_ADDENDS(ProductOutput::kF32)}};

}  // namespace intmill::native::INTMILL_LEVEL
