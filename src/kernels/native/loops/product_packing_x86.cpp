// Packing the right matrices of the products of product_x86.cpp: weights, and keys and values of
// attention.
#include <immintrin.h>

#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/product.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr int64_t kWord = kProductGroup;  // bytes

// Four rows of sixteen bytes become sixteen columns of four.
void Interleave(const uint8_t* const rows[kWord], int64_t at, uint8_t* to) {
  const auto load = [&](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + at));
  };
  const auto store = [&](int i, __m128i x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to) + i, x);
  };
  const __m128i low01 = _mm_unpacklo_epi8(load(0), load(1));
  const __m128i high01 = _mm_unpackhi_epi8(load(0), load(1));
  const __m128i low23 = _mm_unpacklo_epi8(load(2), load(3));
  const __m128i high23 = _mm_unpackhi_epi8(load(2), load(3));
  store(0, _mm_unpacklo_epi16(low01, low23));
  store(1, _mm_unpackhi_epi16(low01, low23));
  store(2, _mm_unpacklo_epi16(high01, high23));
  store(3, _mm_unpackhi_epi16(high01, high23));
}

int64_t Padded(int64_t columns) {
  return (columns + kProductLanes - 1) / kProductLanes * kProductLanes;
}

void PackPanel(const ByteMatrix& m, int64_t first, int64_t columns, const uint8_t* zeros,
               uint8_t* weights) {
  const int64_t padded = Padded(columns);
  for (int64_t row = 0; row < m.rows; row += kWord) {
    const uint8_t* rows[kWord];
    for (int64_t i = 0; i < kWord; ++i)
      rows[i] = row + i < m.rows ? m.data + (row + i) * m.step + first : zeros;
    int64_t c = 0;
    for (; c + kProductLanes <= columns; c += kProductLanes)
      Interleave(rows, c, weights + c * kWord);
    for (; c < padded; ++c)
      for (int64_t i = 0; i < kWord; ++i) weights[c * kWord + i] = c < columns ? rows[i][c] : 0;
    weights += padded * kWord;
  }
}

void PackTransposedPanel(const ByteMatrix& m, int64_t first, int64_t columns, uint8_t* weights) {
  const int64_t groups = m.columns / kWord;
  const int64_t padded = Padded(columns);
  if (padded > columns)
    for (int64_t g = 0; g < groups; ++g)
      __builtin_memset(weights + (g * padded + columns) * kWord, 0,
                       static_cast<size_t>((padded - columns) * kWord));
  const uint8_t* from = m.data + first * m.step;
  // Weights that lie in a model's file may lie at any address.
  if (reinterpret_cast<uintptr_t>(from) % kWord != 0) {
    for (int64_t c = 0; c < columns; ++c)
      for (int64_t g = 0; g < groups; ++g)
        __builtin_memcpy(weights + (g * padded + c) * kWord, from + c * m.step + g * kWord, kWord);
    return;
  }
  TransposeWords(
      from,
      {.rows = columns, .columns = groups, .src_stride = m.step / kWord, .dst_stride = padded},
      weights);
}

void StartPanel(const uint8_t* weights, int64_t columns, int64_t depth, int32_t zero_point,
                int32_t* start) {
  const __m512i ones = _mm512_set1_epi8(1);
  const int64_t padded = Padded(columns);
  for (int64_t c = 0; c < padded; c += kProductLanes) {
    __m512i sums = _mm512_setzero_si512();
    for (int64_t k = 0; k < depth; k += kWord)
      sums = _mm512_dpbusd_epi32(sums, ones, _mm512_loadu_si512(weights + k * padded + c * kWord));
    sums = _mm512_mullo_epi32(sums, _mm512_set1_epi32(-zero_point));
    _mm512_storeu_si512(start + c, sums);
  }
}

}  // namespace

extern const ProductPacking kProductPacking;
const ProductPacking kProductPacking = {
    .panel = PackPanel, .transposed_panel = PackTransposedPanel, .start = StartPanel};

}  // namespace intmill::native::INTMILL_LEVEL
