// Rows of one matrix to columns of another, in tiles that the compiler turns into shuffles.
#include "kernels/native/loops/loops.h"

namespace intmill::native::INTMILL_LEVEL {
namespace {

// A few planes to tuples, such as an image's channels: dst[j * kRows + i] = src[i * stride + j].
template <int kRows, typename T>
void Interleave(const T* __restrict src, int64_t stride, T* __restrict dst, int64_t columns) {
  for (int64_t j = 0; j < columns; ++j)
    for (int i = 0; i < kRows; ++i) dst[j * kRows + i] = src[i * stride + j];
}

// Tuples to planes: dst[j * stride + i] = src[i * kColumns + j].
template <int kColumns, typename T>
void Deinterleave(const T* __restrict src, T* __restrict dst, int64_t stride, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i)
    for (int j = 0; j < kColumns; ++j) dst[j * stride + i] = src[i * kColumns + j];
}

template <int kTile, typename T>
void Tile(const T* __restrict src, int64_t src_stride, T* __restrict dst, int64_t dst_stride) {
  for (int j = 0; j < kTile; ++j)
    for (int i = 0; i < kTile; ++i) dst[j * dst_stride + i] = src[i * src_stride + j];
}

template <typename T>
void Edge(const T* src, const MatrixShape& m, T* dst, int64_t first_row, int64_t first_column) {
  for (int64_t j = first_column; j < m.columns; ++j)
    for (int64_t i = first_row; i < m.rows; ++i)
      dst[j * m.dst_stride + i] = src[i * m.src_stride + j];
}

template <int kTile, typename T>
void Tiles(const T* src, const MatrixShape& m, T* dst) {
  const int64_t rows = m.rows - m.rows % kTile;
  const int64_t columns = m.columns - m.columns % kTile;
  for (int64_t i = 0; i < rows; i += kTile)
    for (int64_t j = 0; j < columns; j += kTile)
      Tile<kTile>(src + i * m.src_stride + j, m.src_stride, dst + j * m.dst_stride + i,
                  m.dst_stride);
  Edge(src, m, dst, rows, 0);
  const MatrixShape left{
      .rows = rows, .columns = m.columns, .src_stride = m.src_stride, .dst_stride = m.dst_stride};
  Edge(src, left, dst, 0, columns);
}

template <int kTile, typename T>
void Transpose(const T* src, const MatrixShape& m, T* dst) {
  const bool to_tuples = m.dst_stride == m.rows;
  const bool from_tuples = m.src_stride == m.columns;
  if (to_tuples && m.rows == 2) return Interleave<2>(src, m.src_stride, dst, m.columns);
  if (to_tuples && m.rows == 3) return Interleave<3>(src, m.src_stride, dst, m.columns);
  if (to_tuples && m.rows == 4) return Interleave<4>(src, m.src_stride, dst, m.columns);
  if (from_tuples && m.columns == 2) return Deinterleave<2>(src, dst, m.dst_stride, m.rows);
  if (from_tuples && m.columns == 3) return Deinterleave<3>(src, dst, m.dst_stride, m.rows);
  if (from_tuples && m.columns == 4) return Deinterleave<4>(src, dst, m.dst_stride, m.rows);
  Tiles<kTile>(src, m, dst);
}

}  // namespace

void TransposeBytes(const void* src, const MatrixShape& m, void* dst) {
  Transpose<16>(static_cast<const uint8_t*>(src), m, static_cast<uint8_t*>(dst));
}

void TransposeWords(const void* src, const MatrixShape& m, void* dst) {
  Transpose<8>(static_cast<const uint32_t*>(src), m, static_cast<uint32_t*>(dst));
}

}  // namespace intmill::native::INTMILL_LEVEL
