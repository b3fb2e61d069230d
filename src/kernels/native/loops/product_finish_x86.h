// From the exact sums of a matrix product to what it writes: the same for all ways to multiply.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_FINISH_X86_H
#define INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_FINISH_X86_H

#include <immintrin.h>

#include "kernels/native/loops/product.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr bool WritesBytes(ProductOutput output) {
  return output == ProductOutput::kBytes || output == ProductOutput::kEntries ||
         output == ProductOutput::kPlainBytes;
}

// Written out, as VNNI does not imply VBMI: no level of products is compiled with it.
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

// The constants of a panel's columns, and of all products: where all registers hold sums, each
// number is read where it is used.
class InMemory {
 public:
  InMemory(const ProductPanel& panel, const ProductFinish& finish) : p_(panel), f_(finish) {}

  template <int kRegister>
  [[gnu::always_inline]] __m512 Scale() const {
    return _mm512_loadu_ps(p_.scales + kProductLanes * kRegister);
  }
  template <int kRegister>
  [[gnu::always_inline]] __m512 Bias() const {
    return _mm512_loadu_ps(p_.bias + kProductLanes * kRegister);
  }
  [[gnu::always_inline]] __m512 Low() const { return _mm512_set1_ps(f_.low); }
  [[gnu::always_inline]] __m512 High() const { return _mm512_set1_ps(f_.high); }
  [[gnu::always_inline]] __m512 Factor() const { return _mm512_set1_ps(f_.factor); }
  [[gnu::always_inline]] __m512 ZeroPoint() const { return _mm512_set1_ps(f_.zero_point); }
  [[gnu::always_inline]] __m512 Highest() const { return _mm512_set1_ps(f_.highest); }
  [[gnu::always_inline]] __m512i AddendBits() const { return _mm512_set1_epi32(f_.addend_bits); }

 private:
  const ProductPanel& p_;
  const ProductFinish& f_;
};

// The same, read once for some rows. Arrays would be kept in memory (gcc 12).
template <int kRegisters>
class InRegisters {
 public:
  InRegisters(const ProductPanel& p, const ProductFinish& f)
      : scale0_(Read<0>(p.scales)),
        scale1_(Read<1>(p.scales)),
        scale2_(Read<2>(p.scales)),
        scale3_(Read<3>(p.scales)),
        bias0_(Read<0>(p.bias)),
        bias1_(Read<1>(p.bias)),
        bias2_(Read<2>(p.bias)),
        bias3_(Read<3>(p.bias)),
        low_(_mm512_set1_ps(f.low)),
        high_(_mm512_set1_ps(f.high)),
        factor_(_mm512_set1_ps(f.factor)),
        zero_point_(_mm512_set1_ps(f.zero_point)),
        highest_(_mm512_set1_ps(f.highest)),
        addend_bits_(_mm512_set1_epi32(f.addend_bits)) {}

  template <int kRegister>
  [[gnu::always_inline]] __m512 Scale() const {
    if constexpr (kRegister == 0) return scale0_;
    if constexpr (kRegister == 1) return scale1_;
    return kRegister == 2 ? scale2_ : scale3_;
  }
  template <int kRegister>
  [[gnu::always_inline]] __m512 Bias() const {
    if constexpr (kRegister == 0) return bias0_;
    if constexpr (kRegister == 1) return bias1_;
    return kRegister == 2 ? bias2_ : bias3_;
  }
  [[gnu::always_inline]] __m512 Low() const { return low_; }
  [[gnu::always_inline]] __m512 High() const { return high_; }
  [[gnu::always_inline]] __m512 Factor() const { return factor_; }
  [[gnu::always_inline]] __m512 ZeroPoint() const { return zero_point_; }
  [[gnu::always_inline]] __m512 Highest() const { return highest_; }
  [[gnu::always_inline]] __m512i AddendBits() const { return addend_bits_; }

 private:
  template <int kRegister>
  [[gnu::always_inline]] static __m512 Read(const float* numbers) {
    if constexpr (kRegister >= kRegisters) return _mm512_setzero_ps();
    return _mm512_loadu_ps(numbers + kRegister * kProductLanes);
  }

  const __m512 scale0_, scale1_, scale2_, scale3_;
  const __m512 bias0_, bias1_, bias2_, bias3_;
  const __m512 low_, high_, factor_, zero_point_, highest_;
  const __m512i addend_bits_;
};

// What becomes of a row of sums, up to four registers of them. Of two operands, one of them NaN,
// MINPS and MAXPS give the second.
template <ProductOutput kOutput, ProductAddend kAddend, int kRegisters, typename Constants>
class RowFinish {
 public:
  RowFinish(const ProductRows& rows, const ProductPanel& panel, const ProductFinish& finish)
      : out_(rows.out),
        addend_(rows.addend),
        out_step_(rows.out_step),
        constants_(panel, finish),
        has_clamp_(finish.has_clamp),
        is_signed_(finish.is_signed),
        may_overflow_(finish.may_overflow),
        table_(finish.table),
        here_(panel.columns == kProductColumns ? ~uint64_t{0}
                                               : (uint64_t{1} << panel.columns) - 1) {}

  // `next`: a row of the block behind this one; -1: none.
  [[gnu::always_inline]] void operator()(int64_t row, int64_t next, __m512i sum0, __m512i sum1,
                                         __m512i sum2, __m512i sum3) const {
    const int64_t at = row * out_step_;
    Fetch(next);
    if constexpr (WritesBytes(kOutput)) {
      const __m512i t0 = Integer<0>(sum0, at);
      const __m512i t1 = kRegisters > 1 ? Integer<1>(sum1, at) : t0;
      const __m512i low = _mm512_packs_epi32(t0, t1);
      if constexpr (kRegisters > 2) {
        const __m512i t2 = Integer<2>(sum2, at);
        const __m512i t3 = kRegisters > 3 ? Integer<3>(sum3, at) : t2;
        StoreBytes(low, _mm512_packs_epi32(t2, t3), at);
      } else {
        StoreBytes(low, low, at);
      }
    } else {
      StoreWords<0>(sum0, at);
      if constexpr (kRegisters > 1) StoreWords<1>(sum1, at);
      if constexpr (kRegisters > 2) StoreWords<2>(sum2, at);
      if constexpr (kRegisters > 3) StoreWords<3>(sum3, at);
    }
  }

 private:
  static constexpr int64_t kLine = 64;
  static constexpr bool kIsPlain = kOutput == ProductOutput::kPlainBytes;

  // What the next block is about to write, and to add: rows may lie far apart, which processors do
  // not foresee. One row at a time, as the weights come on the same way.
  [[gnu::always_inline]] void Fetch(int64_t row) const {
    if (row < 0) return;
    constexpr int64_t kBytes = WritesBytes(kOutput) ? 1 : 4;
    const char* out = static_cast<const char*>(out_) + row * out_step_ * kBytes;
    for (int64_t i = 0; i < kProductLanes * kRegisters * kBytes; i += kLine)
      __builtin_prefetch(out + i, 1);
    if constexpr (kAddend != ProductAddend::kNone) {
      constexpr int64_t kAddendBytes = kAddend == ProductAddend::kF32 ? 4 : 1;
      const char* addend = static_cast<const char*>(addend_) + row * out_step_ * kAddendBytes;
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
      return _mm512_maskz_loadu_ps(Here<kRegister>(), static_cast<const float*>(addend_) + at);
    const __m512i numbers = _mm512_cvtepi8_epi32(
        _mm_maskz_loadu_epi8(Here<kRegister>(), static_cast<const uint8_t*>(addend_) + at));
    return _mm512_cvtepi32_ps(_mm512_and_si512(numbers, constants_.AddendBits()));
  }

  template <int kRegister>
  [[gnu::always_inline]] __m512 Real(__m512i sum, int64_t row_at) const {
    __m512 t = _mm512_cvtepi32_ps(sum) * constants_.template Scale<kRegister>();
    t = t + constants_.template Bias<kRegister>();
    if constexpr (kAddend != ProductAddend::kNone)
      t = t + Addend<kRegister>(row_at + kProductLanes * kRegister);
    if (!kIsPlain && has_clamp_)
      t = _mm512_min_ps(_mm512_max_ps(t, constants_.Low()), constants_.High());
    return t;
  }

  // Numbers saturate when they are packed, and so does a NaN; only those too high for 32 bits would
  // become low ones.
  template <int kRegister>
  [[gnu::always_inline]] __m512i Integer(__m512i sum, int64_t row_at) const {
    __m512 t = Real<kRegister>(sum, row_at);
    if constexpr (!kIsPlain) {
      t = t * constants_.Factor() + constants_.ZeroPoint();
      if (may_overflow_) t = _mm512_min_ps(constants_.Highest(), t);
    }
    return _mm512_cvtps_epi32(t);
  }

  // Packing works within quarters of registers: four bytes of each of four registers, and so on.
  [[gnu::always_inline]] void StoreBytes(__m512i low, __m512i high, int64_t at) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes =
        is_signed_ ? _mm512_packs_epi16(low, high) : _mm512_packus_epi16(low, high);
    __m512i row = _mm512_permutexvar_epi32(order, bytes);
    if constexpr (kOutput == ProductOutput::kEntries) row = Entries(table_, row);
    _mm512_mask_storeu_epi8(static_cast<uint8_t*>(out_) + at, here_, row);
  }

  template <int kRegister>
  [[gnu::always_inline]] void StoreWords(__m512i sum, int64_t row_at) const {
    const int64_t at = row_at + kProductLanes * kRegister;
    if constexpr (kOutput == ProductOutput::kS32)
      _mm512_mask_storeu_epi32(static_cast<int32_t*>(out_) + at, Here<kRegister>(), sum);
    else
      _mm512_mask_storeu_ps(static_cast<float*>(out_) + at, Here<kRegister>(),
                            Real<kRegister>(sum, row_at));
  }

  void* const out_;
  const void* const addend_;
  const int64_t out_step_;
  const Constants constants_;
  const bool has_clamp_;
  const bool is_signed_;
  const bool may_overflow_;
  const uint8_t* const table_;
  const uint64_t here_;
};

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_FINISH_X86_H
