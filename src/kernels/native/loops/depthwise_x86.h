// The vectors of depthwise.cpp with intrinsics; depthwise_plain.h says what each function computes.
//
// Unpacking works within lanes of 128 bits. After two rounds of it quarter i of a vector of bytes
// holds, in lane l, channels 16 l + 4 i and the three that follow; packing sums to bytes undoes it.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_X86_H
#define INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_X86_H

#include <immintrin.h>

#include "kernels/native/loops/depthwise.h"
#include "kernels/native/loops/registers_x86.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

#if defined(INTMILL_DOT_BYTES)
// u8 by s8: four products at once.
constexpr int kGroup = 4;
constexpr int kWeightBytes = 1;
#else
// s16 by s16: two products at once, as sums of u8 by s8 saturate.
constexpr int kGroup = 2;
constexpr int kWeightBytes = 2;
#endif

#if defined(__AVX512BW__)
constexpr bool kManyRegisters = true;
#else
constexpr bool kManyRegisters = false;
#endif

template <typename V>
struct Sums {
  typename V::Integers v[4];
};
template <typename V>
struct Floats {
  typename V::Reals v[4];
};
template <typename V>
using Bytes = typename V::Integers;

template <typename V>
struct Column {
  typename V::Integers v[4];
};

template <typename V>
[[gnu::always_inline]] inline typename V::Integers LoadRow(const uint8_t* from, uint8_t flip) {
  const typename V::Integers x = V::Load(from);
  return flip == 0 ? x : x ^ V::FillBytes(flip);
}

template <typename V, int kRows>
[[gnu::always_inline]] inline Column<V> Weave(const uint8_t* const* rows, int64_t offset,
                                              uint8_t flip) {
  using I = typename V::Integers;
  const I zero = V::Zero();
  const I a = LoadRow<V>(rows[0] + offset, flip);
  const I b = kRows > 1 ? LoadRow<V>(rows[1 % kRows] + offset, flip) : zero;
  const I low = V::UnpackLow8(a, b);
  const I high = V::UnpackHigh8(a, b);
#if defined(INTMILL_DOT_BYTES)
  const I c = kRows > 2 ? LoadRow<V>(rows[2 % kRows] + offset, flip) : zero;
  const I d = kRows > 3 ? LoadRow<V>(rows[3 % kRows] + offset, flip) : zero;
  const I low_rest = kRows > 2 ? V::UnpackLow8(c, d) : zero;
  const I high_rest = kRows > 2 ? V::UnpackHigh8(c, d) : zero;
  return {{V::UnpackLow16(low, low_rest), V::UnpackHigh16(low, low_rest),
           V::UnpackLow16(high, high_rest), V::UnpackHigh16(high, high_rest)}};
#else
  return {{V::UnpackLow8(low, zero), V::UnpackHigh8(low, zero), V::UnpackLow8(high, zero),
           V::UnpackHigh8(high, zero)}};
#endif
}

template <typename V>
[[gnu::always_inline]] inline Column<V> FillColumn(int32_t x) {
  const auto byte = static_cast<uint8_t>(x);
#if defined(INTMILL_DOT_BYTES)
  const typename V::Integers all = V::FillBytes(byte);
#else
  const typename V::Integers all = V::UnpackLow8(V::FillBytes(byte), V::Zero());
#endif
  return {{all, all, all, all}};
}

template <typename V>
[[gnu::always_inline]] inline Sums<V> LoadSums(const int32_t* from) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(from);
  return {{V::Load(bytes), V::Load(bytes + V::kChannels), V::Load(bytes + 2 * V::kChannels),
           V::Load(bytes + 3 * V::kChannels)}};
}

template <typename V>
[[gnu::always_inline]] inline Column<V> LoadColumn(const uint8_t* from) {
  return {{V::Load(from), V::Load(from + V::kChannels), V::Load(from + 2 * V::kChannels),
           V::Load(from + 3 * V::kChannels)}};
}

template <typename V>
[[gnu::always_inline]] inline void AddProducts(const Column<V>& column, const Column<V>& weights,
                                               Sums<V>& sums) {
  sums.v[0] = V::AddDots(sums.v[0], column.v[0], weights.v[0]);
  sums.v[1] = V::AddDots(sums.v[1], column.v[1], weights.v[1]);
  sums.v[2] = V::AddDots(sums.v[2], column.v[2], weights.v[2]);
  sums.v[3] = V::AddDots(sums.v[3], column.v[3], weights.v[3]);
}

template <typename V, int kQuarter>
[[gnu::always_inline]] inline typename V::Reals ScaleQuarter(const Sums<V>& sums,
                                                             const float* scales,
                                                             const float* bias) {
  constexpr int64_t kFirst = kQuarter * V::kChannels / 4;
  return V::ToReals(sums.v[kQuarter]) * V::LoadReals(scales + kFirst) + V::LoadReals(bias + kFirst);
}

template <typename V>
[[gnu::always_inline]] inline Floats<V> Scale(const Sums<V>& sums, const float* scales,
                                              const float* bias, const DepthwiseFinish& f) {
  const Floats<V> t = {
      {ScaleQuarter<V, 0>(sums, scales, bias), ScaleQuarter<V, 1>(sums, scales, bias),
       ScaleQuarter<V, 2>(sums, scales, bias), ScaleQuarter<V, 3>(sums, scales, bias)}};
  if (!f.has_zero_point) return t;
  const typename V::Reals z = V::FillReals(f.zero_point);
  return {{t.v[0] + z, t.v[1] + z, t.v[2] + z, t.v[3] + z}};
}

// Of two operands, one of them NaN, MINPS and MAXPS give the second.
template <typename V>
[[gnu::always_inline]] inline Floats<V> Clamp(const Floats<V>& t, const DepthwiseFinish& f) {
  const typename V::Reals low = V::FillReals(f.low);
  const typename V::Reals high = V::FillReals(f.high);
  return {{V::Min(V::Max(t.v[0], low), high), V::Min(V::Max(t.v[1], low), high),
           V::Min(V::Max(t.v[2], low), high), V::Min(V::Max(t.v[3], low), high)}};
}

template <typename V>
[[gnu::always_inline]] inline Floats<V> AtMost(const Floats<V>& t, float high) {
  const typename V::Reals top = V::FillReals(high);
  return {{V::Min(top, t.v[0]), V::Min(top, t.v[1]), V::Min(top, t.v[2]), V::Min(top, t.v[3])}};
}

// The clamp is applied to bytes, a quarter of the work: packing saturates, and rounding is
// monotone. The conversion has no number for more than 31 bits, which saturates to the lowest as
// NaN does; so where t may be that large, it is held below `high` before.
template <typename V>
[[gnu::always_inline]] inline Bytes<V> RoundToBytes(const Floats<V>& unbounded,
                                                    const DepthwiseFinish& f) {
  using I = typename V::Integers;
  const Floats<V> t = f.is_bounded ? unbounded : AtMost<V>(unbounded, f.high);
  const I low = V::Pack32(V::Round(t.v[0]), V::Round(t.v[1]));
  const I high = V::Pack32(V::Round(t.v[2]), V::Round(t.v[3]));
  const I lowest = V::FillBytes(static_cast<uint8_t>(static_cast<int32_t>(f.low)));
  const I highest = V::FillBytes(static_cast<uint8_t>(static_cast<int32_t>(f.high)));
  if (f.output == DepthwiseOutput::kS8)
    return V::MinS8(V::MaxS8(V::PackS16(low, high), lowest), highest);
  return V::MinU8(V::MaxU8(V::PackU16(low, high), lowest), highest);
}

template <typename V>
[[gnu::always_inline]] inline void StoreBytes(const Bytes<V>& row, uint8_t* to) {
  V::Store(to, row);
}

// Lane by lane, which for floats and sums is rare enough. Quarters are stored one by one: the
// address of a whole row would keep the sums of the hot loop in memory.
template <typename V, typename T>
[[gnu::always_inline]] inline void StoreLanes(const T& row, void* to) {
  constexpr int64_t kLanes = V::kChannels / 16;
  uint8_t quarters[4 * V::kChannels];
  using I = typename V::Integers;
  V::Store(quarters, __builtin_bit_cast(I, row.v[0]));
  V::Store(quarters + V::kChannels, __builtin_bit_cast(I, row.v[1]));
  V::Store(quarters + 2 * V::kChannels, __builtin_bit_cast(I, row.v[2]));
  V::Store(quarters + 3 * V::kChannels, __builtin_bit_cast(I, row.v[3]));
  for (int64_t l = 0; l < kLanes; ++l)
    for (int64_t i = 0; i < 4; ++i)
      __builtin_memcpy(static_cast<uint8_t*>(to) + (4 * l + i) * 16,
                       quarters + (kLanes * i + l) * 16, 16);
}
template <typename V>
[[gnu::always_inline]] inline void StoreInOrder(const Floats<V>& row, float* to) {
  StoreLanes<V>(row, to);
}
template <typename V>
[[gnu::always_inline]] inline void StoreInOrder(const Sums<V>& row, int32_t* to) {
  StoreLanes<V>(row, to);
}

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_X86_H
