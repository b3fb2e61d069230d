// Channels of a window's elements lie side by side, so lanes are channels.
#include <cstring>
#include <limits>
#include <type_traits>

#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

template <typename T, int kLanes>
struct Vector {
  typedef T Type __attribute__((vector_size(kLanes * sizeof(T))));
};
template <typename T>
struct Vector<T, 1> {
  typedef T Type;
};

// Of kLanes channels. A NaN is never larger.
template <typename T, int kLanes>
void LargestOfBlock(const Windows& w, const uint8_t* x, T* y) {
  using V = typename Vector<T, kLanes>::Type;
  constexpr T kLowest = std::is_same_v<T, float> ? -std::numeric_limits<T>::infinity()
                                                 : std::numeric_limits<T>::lowest();
  V best = V{} + kLowest;
  for (int64_t i = 0; i < w.sizes[0]; ++i)
    for (int64_t j = 0; j < w.sizes[1]; ++j)
      for (int64_t k = 0; k < w.sizes[2]; ++k) {
        V next;
        std::memcpy(&next, x + i * w.strides[0] + j * w.strides[1] + k * w.strides[2], sizeof(V));
        best = next > best ? next : best;
      }
  std::memcpy(y, &best, sizeof(V));
}

// The last block overlaps the one before it: the same values come out twice.
template <typename T, int kLanes>
void LargestByBlocks(const Windows& w, T* y) {
  const auto* x = static_cast<const uint8_t*>(w.x);
  for (int64_t window = 0; window < w.count; ++window, x += w.step, y += w.channels) {
    int64_t c = 0;
    for (; c + kLanes <= w.channels; c += kLanes)
      LargestOfBlock<T, kLanes>(w, x + c * static_cast<int64_t>(sizeof(T)), y + c);
    if (c == w.channels) continue;
    c = w.channels - kLanes;
    LargestOfBlock<T, kLanes>(w, x + c * static_cast<int64_t>(sizeof(T)), y + c);
  }
}

template <typename T>
void Largest(const Windows& w, void* opaque_y) {
  T* y = static_cast<T*>(opaque_y);
  const int64_t bytes = w.channels * static_cast<int64_t>(sizeof(T));
  if (bytes >= 64) return LargestByBlocks<T, 64 / sizeof(T)>(w, y);
  if (bytes >= 32) return LargestByBlocks<T, 32 / sizeof(T)>(w, y);
  if (bytes >= 16) return LargestByBlocks<T, 16 / sizeof(T)>(w, y);
  if (bytes >= 8) return LargestByBlocks<T, 8 / sizeof(T)>(w, y);
  LargestByBlocks<T, 1>(w, y);
}

template <typename T>
void SumIntegers(const void* opaque_x, int32_t* sums, int64_t n) {
  const T* x = static_cast<const T*>(opaque_x);
  for (int64_t i = 0; i < n; ++i) sums[i] += x[i];
}

// Doubles, so that the order of the window's elements does not show.
void SumFloats(const float* x, double* sums, int64_t n) {
  for (int64_t i = 0; i < n; ++i) sums[i] += static_cast<double>(x[i]);
}

}  // namespace

const PoolLoops kPoolLoops = {
    .largest_f32 = Largest<float>,
    .largest_u8 = Largest<uint8_t>,
    .largest_s8 = Largest<int8_t>,
    .sum_f32 = SumFloats,
    .sum_u8 = SumIntegers<uint8_t>,
    .sum_s8 = SumIntegers<int8_t>,
};

}  // namespace intmill::native::INTMILL_LEVEL
