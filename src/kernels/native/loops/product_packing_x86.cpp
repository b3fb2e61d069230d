// Packing the keys and values of one head for the products of product_x86.cpp.
#include <immintrin.h>

#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/product.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr int64_t kWord = kProductGroup;  // bytes

// Sixteen columns: start = -zero_point * the sum of the column.
void StartOf(const uint8_t* weights, int64_t step, int64_t groups, int32_t zero_point,
             int32_t* start) {
  const __m512i ones = _mm512_set1_epi8(1);
  __m512i sums = _mm512_setzero_si512();
  for (int64_t g = 0; g < groups; ++g)
    sums = _mm512_dpbusd_epi32(sums, ones, _mm512_loadu_si512(weights + g * step));
  sums = _mm512_mullo_epi32(sums, _mm512_set1_epi32(-zero_point));
  _mm512_storeu_si512(start, sums);
}

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

// A panel of values: [rows / 4][columns][4]. Rows that are not there are zeros.
void PackPanel(const ByteMatrix& v, int64_t first, int64_t columns, const uint8_t* zeros,
               uint8_t* to) {
  const int64_t padded = (columns + kProductLanes - 1) / kProductLanes * kProductLanes;
  for (int64_t row = 0; row < v.rows; row += kWord) {
    const uint8_t* rows[kWord];
    for (int64_t i = 0; i < kWord; ++i)
      rows[i] = row + i < v.rows ? v.data + (row + i) * v.step + first : zeros;
    int64_t c = 0;
    for (; c + kProductLanes <= columns; c += kProductLanes) Interleave(rows, c, to + c * kWord);
    for (; c < padded; ++c)
      for (int64_t i = 0; i < kWord; ++i) to[c * kWord + i] = c < columns ? rows[i][c] : 0;
    to += padded * kWord;
  }
}

// Columns of the product are tokens, which lie in rows here.
void PackKeys(const ByteMatrix& keys, int32_t zero_point, uint8_t* weights, int32_t* start) {
  const int64_t groups = keys.columns / kWord;
  for (int64_t first = 0; first < keys.rows; first += kProductColumns) {
    const int64_t left = keys.rows - first;
    const int64_t tokens = left < kProductColumns ? left : kProductColumns;
    const int64_t padded = (tokens + kProductLanes - 1) / kProductLanes * kProductLanes;
    if (padded > tokens)
      for (int64_t g = 0; g < groups; ++g)
        __builtin_memset(weights + (g * padded + tokens) * kWord, 0,
                         static_cast<size_t>((padded - tokens) * kWord));
    TransposeWords(
        keys.data + first * keys.step,
        {.rows = tokens, .columns = groups, .src_stride = keys.step / kWord, .dst_stride = padded},
        weights);
    for (int64_t c = 0; c < padded; c += kProductLanes)
      StartOf(weights + c * kWord, padded * kWord, groups, zero_point, start + first + c);
    weights += padded * keys.columns;
  }
}

void PackValues(const ByteMatrix& values, const uint8_t* zeros, uint8_t* weights) {
  const int64_t depth = (values.rows + kWord - 1) / kWord * kWord;
  for (int64_t first = 0; first < values.columns; first += kProductColumns) {
    const int64_t left = values.columns - first;
    const int64_t columns = left < kProductColumns ? left : kProductColumns;
    PackPanel(values, first, columns, zeros, weights);
    weights += (columns + kProductLanes - 1) / kProductLanes * kProductLanes * depth;
  }
}

}  // namespace

extern const AttentionPacking kAttentionPacking;
const AttentionPacking kAttentionPacking = {.keys = PackKeys, .values = PackValues};

}  // namespace intmill::native::INTMILL_LEVEL
