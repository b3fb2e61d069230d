// Blocked so that both sides stay within a few cache lines.
#include "kernels/native/transpose.h"

#include <algorithm>

#include "base/parallel.h"

namespace intmill {
namespace {

constexpr int64_t kBlock = 32;

template <typename T>
void TransposeRows(const T* src, T* dst, int64_t rows, int64_t columns, int64_t first,
                   int64_t last) {
  for (int64_t i0 = first; i0 < last; i0 += kBlock) {
    const int64_t i1 = std::min(i0 + kBlock, last);
    for (int64_t j0 = 0; j0 < columns; j0 += kBlock) {
      const int64_t j1 = std::min(j0 + kBlock, columns);
      for (int64_t j = j0; j < j1; ++j)
        for (int64_t i = i0; i < i1; ++i) dst[j * rows + i] = src[i * columns + j];
    }
  }
}

template <typename T>
void Transpose(const T* src, T* dst, int64_t batch, int64_t rows, int64_t columns) {
  const int64_t blocks = (rows + kBlock - 1) / kBlock;
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 15) / (kBlock * columns));
  ParallelFor(batch * blocks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      const int64_t offset = k / blocks * rows * columns;
      const int64_t first = k % blocks * kBlock;
      TransposeRows(src + offset, dst + offset, rows, columns, first,
                    std::min(first + kBlock, rows));
    }
  });
}

}  // namespace

void TransposeMatrices(const void* src, void* dst, int64_t batch, int64_t rows, int64_t columns,
                       int64_t element_bytes) {
  if (batch * rows * columns == 0) return;
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    Transpose(static_cast<const T*>(src), static_cast<T*>(dst), batch, rows, columns);
  };
  switch (element_bytes) {
    case 1:
      return run(uint8_t{});
    case 2:
      return run(uint16_t{});
    case 4:
      return run(uint32_t{});
    default:
      return run(uint64_t{});
  }
}

}  // namespace intmill
