// 256 entries looked up byte by byte; with AVX-512 VBMI 64 at once.
#include "kernels/native/loops/loops.h"

#if defined(__AVX512VBMI__)
#include <immintrin.h>
#endif

namespace intmill::native::INTMILL_LEVEL {

#if defined(__AVX512VBMI__)
void TableRow(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  const __m512i quarter0 = _mm512_loadu_si512(table);
  const __m512i quarter1 = _mm512_loadu_si512(table + 64);
  const __m512i quarter2 = _mm512_loadu_si512(table + 128);
  const __m512i quarter3 = _mm512_loadu_si512(table + 192);
  for (int64_t i = 0; i < n; i += 64) {
    const __mmask64 here = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    const __m512i at = _mm512_maskz_loadu_epi8(here, x + i);
    // The lower seven bits choose among 128 bytes, the eighth between the halves.
    const __m512i low = _mm512_permutex2var_epi8(quarter0, at, quarter1);
    const __m512i high = _mm512_permutex2var_epi8(quarter2, at, quarter3);
    const __m512i found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(at), low, high);
    _mm512_mask_storeu_epi8(y + i, here, found);
  }
}
#else
void TableRow(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = table[x[i]];
}
#endif

}  // namespace intmill::native::INTMILL_LEVEL
