// One element of each channel of a window is joined with what came before it.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

template <typename T>
void Largest(const void* opaque_x, void* opaque_y, int64_t n) {
  const T* x = static_cast<const T*>(opaque_x);
  T* y = static_cast<T*>(opaque_y);
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] > y[i] ? x[i] : y[i];
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
