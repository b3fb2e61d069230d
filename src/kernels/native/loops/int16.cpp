// Floats to 16-bit numbers and back, and 16-bit numbers to two bytes.
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

// Clamping before rounding gives the same integers as after it, as in QuantizeToByte.
void QuantizeRow16(const float* x, int16_t* __restrict y, int64_t n, const ByteScale& scale) {
  const ByteScale s = scale;
  const float low = static_cast<float>(-32768 - s.zero_point);
  const float high = static_cast<float>(32767 - s.zero_point);
  for (int64_t i = 0; i < n; ++i) {
    float t = x[i] / s.scale;
    t = t == t ? t : 0.0f;
    y[i] = static_cast<int16_t>(RoundToInt(ClampTo(t, low, high)) + s.zero_point);
  }
}

void DequantizeRow16(const int16_t* x, float* __restrict y, int64_t n, const ByteScale& scale) {
  const ByteScale s = scale;
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(static_cast<int32_t>(x[i]) - s.zero_point) * s.scale;
}

void SplitRow(const int16_t* x, uint8_t* __restrict high, uint8_t* __restrict low, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    const auto bits = static_cast<uint16_t>(x[i]);
    high[i] = static_cast<uint8_t>((bits >> 8) ^ 0x80);
    low[i] = static_cast<uint8_t>(bits & 0xff);
  }
}

}  // namespace

const Int16Loops kInt16Loops = {QuantizeRow16, DequantizeRow16, SplitRow};

}  // namespace intmill::native::INTMILL_LEVEL
