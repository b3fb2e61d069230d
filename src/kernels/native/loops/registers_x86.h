// One name for the intrinsics of three widths of vectors: 128, 256 and, with AVX-512, 512 bits.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_REGISTERS_X86_H
#define INTMILL_KERNELS_NATIVE_LOOPS_REGISTERS_X86_H

#include <immintrin.h>
#include <stdint.h>

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define INTMILL_DOT_BYTES 1
#endif

namespace intmill::native::INTMILL_LEVEL {
namespace {

struct V128 {
  static constexpr int64_t kChannels = 16;
  using Integers = __m128i;
  using Reals = __m128;

  static __m128i Load(const uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static void Store(uint8_t* p, __m128i x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x); }
  static __m128 LoadReals(const float* p) { return _mm_loadu_ps(p); }
  static __m128i Zero() { return _mm_setzero_si128(); }
  static __m128i FillBytes(uint8_t x) { return _mm_set1_epi8(static_cast<char>(x)); }
  static __m128 FillReals(float x) { return _mm_set1_ps(x); }
  static __m128i UnpackLow8(__m128i a, __m128i b) { return _mm_unpacklo_epi8(a, b); }
  static __m128i UnpackHigh8(__m128i a, __m128i b) { return _mm_unpackhi_epi8(a, b); }
  static __m128i UnpackLow16(__m128i a, __m128i b) { return _mm_unpacklo_epi16(a, b); }
  static __m128i UnpackHigh16(__m128i a, __m128i b) { return _mm_unpackhi_epi16(a, b); }
  static __m128i Pack32(__m128i a, __m128i b) { return _mm_packs_epi32(a, b); }
  static __m128i PackS16(__m128i a, __m128i b) { return _mm_packs_epi16(a, b); }
  static __m128i PackU16(__m128i a, __m128i b) { return _mm_packus_epi16(a, b); }
  static __m128i MaxS8(__m128i a, __m128i b) { return _mm_max_epi8(a, b); }
  static __m128i MaxU8(__m128i a, __m128i b) { return _mm_max_epu8(a, b); }
  static __m128i MinU8(__m128i a, __m128i b) { return _mm_min_epu8(a, b); }
  static __m128i MinS8(__m128i a, __m128i b) { return _mm_min_epi8(a, b); }
  static __m128 Min(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
  static __m128 Max(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
  static __m128 ToReals(__m128i x) { return _mm_cvtepi32_ps(x); }
  static __m128i Round(__m128 x) { return _mm_cvtps_epi32(x); }
  static __m128i AddDots(__m128i sum, __m128i x, __m128i w) {
#if defined(__AVX512VNNI__)
    return _mm_dpbusd_epi32(sum, x, w);
#elif defined(__AVXVNNI__)
    return _mm_dpbusd_avx_epi32(sum, x, w);
#else
    return _mm_add_epi32(sum, _mm_madd_epi16(x, w));
#endif
  }
};

struct V256 {
  static constexpr int64_t kChannels = 32;
  using Integers = __m256i;
  using Reals = __m256;

  static __m256i Load(const uint8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void Store(uint8_t* p, __m256i x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x);
  }
  static __m256 LoadReals(const float* p) { return _mm256_loadu_ps(p); }
  static __m256i Zero() { return _mm256_setzero_si256(); }
  static __m256i FillBytes(uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static __m256 FillReals(float x) { return _mm256_set1_ps(x); }
  static __m256i UnpackLow8(__m256i a, __m256i b) { return _mm256_unpacklo_epi8(a, b); }
  static __m256i UnpackHigh8(__m256i a, __m256i b) { return _mm256_unpackhi_epi8(a, b); }
  static __m256i UnpackLow16(__m256i a, __m256i b) { return _mm256_unpacklo_epi16(a, b); }
  static __m256i UnpackHigh16(__m256i a, __m256i b) { return _mm256_unpackhi_epi16(a, b); }
  static __m256i Pack32(__m256i a, __m256i b) { return _mm256_packs_epi32(a, b); }
  static __m256i PackS16(__m256i a, __m256i b) { return _mm256_packs_epi16(a, b); }
  static __m256i PackU16(__m256i a, __m256i b) { return _mm256_packus_epi16(a, b); }
  static __m256i MaxS8(__m256i a, __m256i b) { return _mm256_max_epi8(a, b); }
  static __m256i MaxU8(__m256i a, __m256i b) { return _mm256_max_epu8(a, b); }
  static __m256i MinU8(__m256i a, __m256i b) { return _mm256_min_epu8(a, b); }
  static __m256i MinS8(__m256i a, __m256i b) { return _mm256_min_epi8(a, b); }
  static __m256 Min(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
  static __m256 Max(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
  static __m256 ToReals(__m256i x) { return _mm256_cvtepi32_ps(x); }
  static __m256i Round(__m256 x) { return _mm256_cvtps_epi32(x); }
  static __m256i AddDots(__m256i sum, __m256i x, __m256i w) {
#if defined(__AVX512VNNI__)
    return _mm256_dpbusd_epi32(sum, x, w);
#elif defined(__AVXVNNI__)
    return _mm256_dpbusd_avx_epi32(sum, x, w);
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, w));
#endif
  }
};

#if defined(__AVX512BW__)
struct V512 {
  static constexpr int64_t kChannels = 64;
  using Integers = __m512i;
  using Reals = __m512;

  static __m512i Load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static void Store(uint8_t* p, __m512i x) { _mm512_storeu_si512(p, x); }
  static __m512 LoadReals(const float* p) { return _mm512_loadu_ps(p); }
  static __m512i Zero() { return _mm512_setzero_si512(); }
  static __m512i FillBytes(uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static __m512 FillReals(float x) { return _mm512_set1_ps(x); }
  static __m512i UnpackLow8(__m512i a, __m512i b) { return _mm512_unpacklo_epi8(a, b); }
  static __m512i UnpackHigh8(__m512i a, __m512i b) { return _mm512_unpackhi_epi8(a, b); }
  static __m512i UnpackLow16(__m512i a, __m512i b) { return _mm512_unpacklo_epi16(a, b); }
  static __m512i UnpackHigh16(__m512i a, __m512i b) { return _mm512_unpackhi_epi16(a, b); }
  static __m512i Pack32(__m512i a, __m512i b) { return _mm512_packs_epi32(a, b); }
  static __m512i PackS16(__m512i a, __m512i b) { return _mm512_packs_epi16(a, b); }
  static __m512i PackU16(__m512i a, __m512i b) { return _mm512_packus_epi16(a, b); }
  static __m512i MaxS8(__m512i a, __m512i b) { return _mm512_max_epi8(a, b); }
  static __m512i MaxU8(__m512i a, __m512i b) { return _mm512_max_epu8(a, b); }
  static __m512i MinU8(__m512i a, __m512i b) { return _mm512_min_epu8(a, b); }
  static __m512i MinS8(__m512i a, __m512i b) { return _mm512_min_epi8(a, b); }
  static __m512 Min(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
  static __m512 Max(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
  static __m512 ToReals(__m512i x) { return _mm512_cvtepi32_ps(x); }
  static __m512i Round(__m512 x) { return _mm512_cvtps_epi32(x); }
  static __m512i AddDots(__m512i sum, __m512i x, __m512i w) {
#if defined(__AVX512VNNI__)
    return _mm512_dpbusd_epi32(sum, x, w);
#else
    return _mm512_add_epi32(sum, _mm512_madd_epi16(x, w));
#endif
  }
};
#endif

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_REGISTERS_X86_H
