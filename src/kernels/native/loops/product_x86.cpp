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

constexpr bool WritesBytes(ProductOutput output) {
  return output == ProductOutput::kBytes || output == ProductOutput::kEntries;
}

// Written out, as VNNI does not imply VBMI: this level is compiled without it.
[[gnu::always_inline]] inline __m512i Entries(const uint8_t* table, __m512i bytes) {
  // The lower seven bits choose among 128 bytes, the eighth between the halves.
  __m512i low = bytes;
  __m512i high = bytes;
  asm("vpermi2b %2, %1, %0"
      : "+v"(low)
      : "v"(_mm512_loadu_si512(table)), "v"(_mm512_loadu_si512(table + 64)));
  asm("vpermi2b %2, %1, %0"
      : "+v"(high)
      : "v"(_mm512_loadu_si512(table + 128)), "v"(_mm512_loadu_si512(table + 192)));
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
}

// What becomes of a row of sums, up to four registers of them. Of two operands, one of them NaN,
// MINPS and MAXPS give the second.
template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters>
class RowFinish {
 public:
  RowFinish(const ProductRows& rows, const ProductPanel& panel, const ProductFinish& finish)
      : r_(rows),
        p_(panel),
        f_(finish),
        here_(panel.columns == kProductColumns ? ~uint64_t{0}
                                               : (uint64_t{1} << panel.columns) - 1) {}

  [[gnu::always_inline]] void operator()(int64_t row, __m512i sum0, __m512i sum1, __m512i sum2,
                                         __m512i sum3) const {
    const int64_t at = row * r_.out_step;
    Fetch(row + ProductRowsFor(kRegisters));
    if constexpr (WritesBytes(kOutput)) {
      const __m512i t0 = Integer<0>(sum0, at);
      const __m512i t1 = kRegisters > 1 ? Integer<1>(sum1, at) : t0;
      const __m512i t2 = kRegisters > 2 ? Integer<2>(sum2, at) : t0;
      const __m512i t3 = kRegisters > 3 ? Integer<3>(sum3, at) : t2;
      StoreBytes(_mm512_packs_epi32(t0, t1), _mm512_packs_epi32(t2, t3), at);
    } else {
      StoreWords<0>(sum0, at);
      if constexpr (kRegisters > 1) StoreWords<1>(sum1, at);
      if constexpr (kRegisters > 2) StoreWords<2>(sum2, at);
      if constexpr (kRegisters > 3) StoreWords<3>(sum3, at);
    }
  }

 private:
  static constexpr int64_t kLine = 64;

  // What the next block is about to write, and to add: rows may lie far apart, which processors do
  // not foresee. One row at a time, as the weights come on the same way.
  [[gnu::always_inline]] void Fetch(int64_t row) const {
    if (row >= r_.rows) return;
    constexpr int64_t kBytes = WritesBytes(kOutput) ? 1 : 4;
    const char* out = static_cast<const char*>(r_.out) + row * r_.out_step * kBytes;
    for (int64_t i = 0; i < kProductLanes * kRegisters * kBytes; i += kLine)
      __builtin_prefetch(out + i, 1);
    if constexpr (kAddend != ProductAddend::kNone) {
      constexpr int64_t kAddendBytes = kAddend == ProductAddend::kF32 ? 4 : 1;
      const char* addend = static_cast<const char*>(r_.addend) + row * r_.out_step * kAddendBytes;
      for (int64_t i = 0; i < kProductLanes * kRegisters * kAddendBytes; i += kLine)
        __builtin_prefetch(addend + i);
    }
  }

  // Columns of a register that are there, a bit for each.
  template <int kRegister>
  [[gnu::always_inline]] __mmask16 Here() const {
    return static_cast<__mmask16>(here_ >> (kProductLanes * kRegister));
  }

  template <int kRegister>
  [[gnu::always_inline]] __m512 Addend(int64_t at) const {
    if constexpr (kAddend == ProductAddend::kF32)
      return _mm512_maskz_loadu_ps(Here<kRegister>(), static_cast<const float*>(r_.addend) + at);
    const __m512i numbers = _mm512_cvtepi8_epi32(
        _mm_maskz_loadu_epi8(Here<kRegister>(), static_cast<const uint8_t*>(r_.addend) + at));
    return _mm512_cvtepi32_ps(_mm512_and_si512(numbers, _mm512_set1_epi32(f_.addend_bits)));
  }

  template <int kRegister>
  [[gnu::always_inline]] __m512 Real(__m512i sum, int64_t row_at) const {
    constexpr int64_t kColumn = kProductLanes * kRegister;
    __m512 t = _mm512_cvtepi32_ps(sum) * _mm512_loadu_ps(p_.scales + kColumn);
    t = t + _mm512_loadu_ps(p_.bias + kColumn);
    if constexpr (kAddend != ProductAddend::kNone) t = t + Addend<kRegister>(row_at + kColumn);
    if (f_.has_clamp)
      t = _mm512_min_ps(_mm512_max_ps(t, _mm512_set1_ps(f_.low)), _mm512_set1_ps(f_.high));
    return t;
  }

  // Numbers that are too low saturate when they are packed, and so does a NaN.
  template <int kRegister>
  [[gnu::always_inline]] __m512i Integer(__m512i sum, int64_t row_at) const {
    const __m512 t = Real<kRegister>(sum, row_at) * _mm512_set1_ps(f_.factor);
    return _mm512_cvtps_epi32(
        _mm512_min_ps(_mm512_set1_ps(f_.highest), t + _mm512_set1_ps(f_.zero_point)));
  }

  // Packing works within quarters of registers: four bytes of each of four registers, and so on.
  [[gnu::always_inline]] void StoreBytes(__m512i low, __m512i high, int64_t at) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes =
        f_.is_signed ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
    __m512i row = _mm512_permutexvar_epi32(order, bytes);
    if constexpr (kOutput == ProductOutput::kEntries) row = Entries(f_.table, row);
    _mm512_mask_storeu_epi8(static_cast<uint8_t*>(r_.out) + at, here_, row);
  }

  template <int kRegister>
  [[gnu::always_inline]] void StoreWords(__m512i sum, int64_t row_at) const {
    const int64_t at = row_at + kProductLanes * kRegister;
    if constexpr (kOutput == ProductOutput::kS32)
      _mm512_mask_storeu_epi32(static_cast<int32_t*>(r_.out) + at, Here<kRegister>(), sum);
    else
      _mm512_mask_storeu_ps(static_cast<float*>(r_.out) + at, Here<kRegister>(),
                            Real<kRegister>(sum, row_at));
  }

  const ProductRows& r_;
  const ProductPanel& p_;
  const ProductFinish& f_;
  const uint64_t here_;
};

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
    finish(first + row, sum##s0, sum##s1, sum##s2, sum##s3);
  INTMILL_EACH_ROW(INTMILL_ROW)
#undef INTMILL_ROW
}

// Blocks of rows, the last of which begins where it has as many as the others; few rows one by one.
template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters>
void ForBlocks(const ProductRows& r, const ProductPanel& p, const ProductFinish& f) {
  constexpr int kRows = ProductRowsFor(kRegisters);
  const RowFinish<kOutput, kAddend, kRegisters> finish(r, p, f);
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
extern const ProductLoops kProductLoops;
const ProductLoops kProductLoops = {
    {INTMILL_ADDENDS(ProductOutput::kBytes), INTMILL_ADDENDS(ProductOutput::kF32),
     INTMILL_ADDENDS(ProductOutput::kEntries)},
    Run<ProductOutput::kS32, ProductAddend::kNone>};

}  // namespace intmill::native::INTMILL_LEVEL
