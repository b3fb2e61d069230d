// Floats to bfloat16 and back, as FloatToBf16 and Bf16ToFloat do (tensor/half.h), which here could
// not be shared. Not by the processor's own instruction, which takes subnormal numbers for zero.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {

void NarrowBf16(const void* x, void* __restrict y, int64_t n) {
  const auto* const floats = static_cast<const float*>(x);
  auto* const halves = static_cast<uint16_t*>(y);
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, floats[i]);
    const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    const uint32_t quiet_nan = (bits >> 16) | 0x40;
    halves[i] = static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? quiet_nan : rounded);
  }
}

void WidenBf16(const void* x, void* __restrict y, int64_t n) {
  const auto* const halves = static_cast<const uint16_t*>(x);
  auto* const floats = static_cast<float*>(y);
  for (int64_t i = 0; i < n; ++i)
    floats[i] = __builtin_bit_cast(float, static_cast<uint32_t>(halves[i]) << 16);
}

}  // namespace intmill::native::INTMILL_LEVEL
