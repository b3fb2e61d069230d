// The vectors of depthwise.cpp in plain loops: what every level must equal, and what runs where
// there are no intrinsics.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_PLAIN_H
#define INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_PLAIN_H

#include "kernels/native/loops/depthwise.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

constexpr int kGroup = 1;
constexpr int kWeightBytes = 2;
constexpr bool kManyRegisters = false;

struct Plain {
  static constexpr int64_t kChannels = 16;
};

template <typename V, typename T>
struct Row16 {
  T v[V::kChannels];
};
template <typename V>
using Sums = Row16<V, int32_t>;
template <typename V>
using Floats = Row16<V, float>;
template <typename V>
using Bytes = Row16<V, uint8_t>;

template <typename V>
using Column = Row16<V, int16_t>;

template <typename V, int kRows>
Column<V> Weave(const uint8_t* const* rows, int64_t offset, uint8_t flip) {
  Column<V> column;
  for (int i = 0; i < V::kChannels; ++i)
    column.v[i] = static_cast<int16_t>(rows[0][offset + i] ^ flip);
  return column;
}

template <typename V>
Column<V> FillColumn(int32_t x) {
  Column<V> column;
  for (int i = 0; i < V::kChannels; ++i) column.v[i] = static_cast<int16_t>(x);
  return column;
}

template <typename V>
Sums<V> LoadSums(const int32_t* from) {
  Sums<V> sums;
  for (int i = 0; i < V::kChannels; ++i) sums.v[i] = from[i];
  return sums;
}

template <typename V>
Column<V> LoadColumn(const uint8_t* from) {
  const auto* words = reinterpret_cast<const int16_t*>(from);
  Column<V> column;
  for (int i = 0; i < V::kChannels; ++i) column.v[i] = words[i];
  return column;
}

template <typename V>
void AddProducts(const Column<V>& column, const Column<V>& weights, Sums<V>& sums) {
  for (int i = 0; i < V::kChannels; ++i)
    sums.v[i] += static_cast<int32_t>(column.v[i]) * static_cast<int32_t>(weights.v[i]);
}

template <typename V>
Floats<V> Scale(const Sums<V>& sums, const float* scales, const float* bias,
                const DepthwiseFinish& f) {
  Floats<V> t;
  for (int i = 0; i < V::kChannels; ++i)
    t.v[i] = static_cast<float>(sums.v[i]) * scales[i] + bias[i];
  if (f.has_zero_point)
    for (int i = 0; i < V::kChannels; ++i) t.v[i] = t.v[i] + f.zero_point;
  return t;
}

// A NaN becomes `low`.
template <typename V>
Floats<V> Clamp(Floats<V> t, const DepthwiseFinish& f) {
  for (int i = 0; i < V::kChannels; ++i) {
    t.v[i] = t.v[i] > f.low ? t.v[i] : f.low;
    t.v[i] = t.v[i] < f.high ? t.v[i] : f.high;
  }
  return t;
}

template <typename V>
Bytes<V> RoundToBytes(const Floats<V>& t, const DepthwiseFinish& f) {
  const Floats<V> clamped = Clamp<V>(t, f);
  Bytes<V> bytes;
  for (int i = 0; i < V::kChannels; ++i)
    bytes.v[i] = static_cast<uint8_t>(RoundToInt(clamped.v[i]));
  return bytes;
}

template <typename T, typename U>
void StoreRow(const Row16<T, U>& row, U* to) {
  for (int i = 0; i < T::kChannels; ++i) to[i] = row.v[i];
}
template <typename V>
void StoreBytes(const Bytes<V>& row, uint8_t* to) {
  StoreRow(row, to);
}
template <typename V>
void StoreInOrder(const Floats<V>& row, float* to) {
  StoreRow(row, to);
}
template <typename V>
void StoreInOrder(const Sums<V>& row, int32_t* to) {
  StoreRow(row, to);
}

}  // namespace
}  // namespace intmill::native::INTMILL_LEVEL

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_PLAIN_H
