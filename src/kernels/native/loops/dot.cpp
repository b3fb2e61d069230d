// Exact sums of products of 16-bit numbers, which 8-bit numbers become without their zero points.
// Products of pairs are added in 32 bits, so nothing saturates on any instruction set.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

void Widen(const uint8_t* x, uint8_t flip, int32_t zero_point, int16_t* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<int16_t>(static_cast<int32_t>(x[i] ^ flip) - zero_point);
}

int32_t Dot(const int16_t* a, const int16_t* b, int64_t n) {
  int32_t sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<int32_t>(a[i]) * static_cast<int32_t>(b[i]);
  return sum;
}

// Four rows at once, so that each weight is loaded once for four products.
void Dot4(const int16_t* a, int64_t depth, const int16_t* b, int32_t* out, int64_t out_stride) {
  int32_t s0 = 0;
  int32_t s1 = 0;
  int32_t s2 = 0;
  int32_t s3 = 0;
  for (int64_t i = 0; i < depth; ++i) {
    const int32_t w = b[i];
    s0 += a[i] * w;
    s1 += a[depth + i] * w;
    s2 += a[2 * depth + i] * w;
    s3 += a[3 * depth + i] * w;
  }
  out[0] = s0;
  out[out_stride] = s1;
  out[2 * out_stride] = s2;
  out[3 * out_stride] = s3;
}

void DotRows(const int16_t* a, int64_t rows, const int16_t* b, int64_t columns, int64_t depth,
             int32_t* out, int64_t out_stride) {
  for (int64_t j = 0; j < columns; ++j) {
    if (rows == 4) {
      Dot4(a, depth, b + j * depth, out + j, out_stride);
      continue;
    }
    for (int64_t i = 0; i < rows; ++i)
      out[i * out_stride + j] = Dot(a + i * depth, b + j * depth, depth);
  }
}

void MultiplyAdd(const int16_t* a, const int16_t* b, int32_t* sums, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    sums[i] += static_cast<int32_t>(a[i]) * static_cast<int32_t>(b[i]);
}

}  // namespace

const IntegerLoops kIntegerLoops = {
    .widen = Widen, .dot_rows = DotRows, .multiply_add = MultiplyAdd};

}  // namespace intmill::native::INTMILL_LEVEL
