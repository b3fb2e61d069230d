// Products of u8 and s8 matrices with AVX-512 VNNI. A block of rows and up to four registers of
// columns has its sums in registers for the whole depth; each instruction adds four products to
// each of sixteen columns.
#include <immintrin.h>

#include "kernels/native/loops/product.h"
#include "kernels/native/loops/product_finish_x86.h"

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
// Rows of blocks with so many registers, and their sums.
#define INTMILL_EACH_ROW(X)                                                          \
  X(4, 0, 0, 1, 2, 3) X(4, 1, 4, 5, 6, 7) X(4, 2, 8, 9, 10, 11)                      \
  X(4, 3, 12, 13, 14, 15) X(4, 4, 16, 17, 18, 19) X(4, 5, 20, 21, 22, 23)            \
  X(3, 0, 0, 1, 2, 2) X(3, 1, 3, 4, 5, 5) X(3, 2, 6, 7, 8, 8) X(3, 3, 9, 10, 11, 11) \
  X(3, 4, 12, 13, 14, 14) X(3, 5, 15, 16, 17, 17) X(3, 6, 18, 19, 20, 20)            \
  X(3, 7, 21, 22, 23, 23)                                                            \
  X(2, 0, 0, 1, 1, 1) X(2, 1, 2, 3, 3, 3) X(2, 2, 4, 5, 5, 5) X(2, 3, 6, 7, 7, 7)    \
  X(2, 4, 8, 9, 9, 9) X(2, 5, 10, 11, 11, 11) X(2, 6, 12, 13, 13, 13)                \
  X(2, 7, 14, 15, 15, 15) X(2, 8, 16, 17, 17, 17) X(2, 9, 18, 19, 19, 19)            \
  X(2, 10, 20, 21, 21, 21) X(2, 11, 22, 23, 23, 23)                                  \
  X(1, 0, 0, 0, 0, 0) X(1, 1, 1, 1, 1, 1) X(1, 2, 2, 2, 2, 2) X(1, 3, 3, 3, 3, 3)    \
  X(1, 4, 4, 4, 4, 4) X(1, 5, 5, 5, 5, 5) X(1, 6, 6, 6, 6, 6) X(1, 7, 7, 7, 7, 7)    \
  X(1, 8, 8, 8, 8, 8) X(1, 9, 9, 9, 9, 9) X(1, 10, 10, 10, 10, 10)                   \
  X(1, 11, 11, 11, 11, 11)
// clang-format on

// What a block fetches while it multiplies: `step` bytes further with each group of the depth.
struct Ahead {
  const uint8_t* from;
  int64_t step;
};

// A block's part of the weights that are wanted next, so that the blocks together fetch all of
// them, or as many as they can. Where nobody knows those it is what the block reads anyway.
[[gnu::always_inline]] inline Ahead AheadOf(const ProductPanel& p, int64_t block, int64_t blocks) {
  if (p.next == nullptr) return {p.weights, 0};
  constexpr int64_t kLine = 64;
  const int64_t groups = p.depth / kProductGroup;
  const int64_t even = (p.next_bytes + blocks * groups - 1) / (blocks * groups);
  const int64_t step = even < kLine ? even : kLine;
  return {p.next + block * step * groups, step};
}

template <int kRows>
[[gnu::always_inline]] inline int64_t NextRow(const ProductRows& r, int64_t row) {
  return row + kRows < r.rows ? row + kRows : -1;
}

// Sum i is of row i / kRegisters, register i % kRegisters. Rows are finished while their sums are
// in registers.
template <int kRows, int kRegisters, typename Finish>
[[gnu::always_inline]] inline void Block(const ProductRows& r, const ProductPanel& panel,
                                         const Ahead& ahead, const Finish& finish, int64_t first) {
  static_assert(kRows * kRegisters <= kSums);
  constexpr int kUsed = kRows * kRegisters;
  const int64_t a_step = r.a_step;
  const uint8_t* const a = r.a + first * a_step;
  const uint8_t* weights = panel.weights;
  const uint8_t* fetched = ahead.from;
#define INTMILL_START(i)                                                               \
  __m512i sum##i = i < kUsed ? _mm512_loadu_si512(panel.start + 16 * (i % kRegisters)) \
                             : _mm512_setzero_si512();
  INTMILL_EACH_SUM(INTMILL_START)
#undef INTMILL_START
// Half the jumps: processors foresee the end of a shorter loop.
#pragma GCC unroll 2
  for (int64_t k = 0; k < panel.depth; k += kProductGroup) {
    _mm_prefetch(fetched, _MM_HINT_T1);
    fetched += ahead.step;
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
// The sums of a row, where a row has so many registers.
#define INTMILL_ROW(registers, row, s0, s1, s2, s3)     \
  if constexpr (kRegisters == registers && row < kRows) \
    finish(first + row, NextRow<kRows>(r, first + row), sum##s0, sum##s1, sum##s2, sum##s3);
  INTMILL_EACH_ROW(INTMILL_ROW)
#undef INTMILL_ROW
}

// Blocks of rows, the last of which begins where it has as many as the others; few rows one by one.
template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters>
void ForBlocks(const ProductRows& r, const ProductPanel& p, const ProductFinish& f) {
  constexpr int kRows = ProductRowsFor(kRegisters);
  const RowFinish<kOutput, kAddend, kRegisters, InMemory> finish(r, p, f);
  if (r.rows < kRows) {
    for (int64_t i = 0; i < r.rows; ++i) Block<1, kRegisters>(r, p, {p.weights, 0}, finish, i);
    return;
  }
  const int64_t blocks = (r.rows + kRows - 1) / kRows;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t first = i * kRows <= r.rows - kRows ? i * kRows : r.rows - kRows;
    Block<kRows, kRegisters>(r, p, AheadOf(p, i, blocks), finish, first);
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
        Run<output, ProductAddend::kBytes>                               \
  }
extern const ProductLoop kProductSums;
const ProductLoop kProductSums = Run<ProductOutput::kS32, ProductAddend::kNone>;
extern const ProductLoops kProductLoops;
const ProductLoops kProductLoops = {
    {INTMILL_ADDENDS(ProductOutput::kBytes), INTMILL_ADDENDS(ProductOutput::kF32),
     INTMILL_ADDENDS(ProductOutput::kEntries)},
    Run<ProductOutput::kPlainBytes, ProductAddend::kNone>,
};

}  // namespace intmill::native::INTMILL_LEVEL
