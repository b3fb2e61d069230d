// Floats to bytes with one scale, and back; ranges and weighted sums of floats.
#include "kernels/native/loops/loops.h"
#include "kernels/native/loops/scalar.h"

namespace intmill::native::INTMILL_LEVEL {

void QuantizeRow(const float* x, uint8_t* __restrict y, int64_t n, const ByteScale& scale) {
  const ByteScale s = scale;
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<uint8_t>(QuantizeToByte(x[i], s.scale, s.zero_point)) ^ s.flip;
}

void DequantizeRow(const uint8_t* x, float* __restrict y, int64_t n, const ByteScale& scale) {
  const ByteScale s = scale;
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(static_cast<int32_t>(x[i] ^ s.flip) - s.zero_point) * s.scale;
}

void WeighRow(const float* x, float weight, float* __restrict sums, int64_t n) {
  for (int64_t i = 0; i < n; ++i) sums[i] += weight * x[i];
}

// In lanes, so that the compiler may keep them in a vector: minima do not depend on the order.
void RangeOf(const float* x, int64_t n, float* min, float* max) {
  constexpr int64_t kLanes = 16;
  float low[kLanes];
  float high[kLanes];
  for (int64_t k = 0; k < kLanes; ++k) {
    low[k] = *min;
    high[k] = *max;
  }
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) {
      low[k] = x[i + k] < low[k] ? x[i + k] : low[k];
      high[k] = x[i + k] > high[k] ? x[i + k] : high[k];
    }
  }
  for (; i < n; ++i) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  for (int64_t k = 0; k < kLanes; ++k) {
    *min = low[k] < *min ? low[k] : *min;
    *max = high[k] > *max ? high[k] : *max;
  }
}

}  // namespace intmill::native::INTMILL_LEVEL
