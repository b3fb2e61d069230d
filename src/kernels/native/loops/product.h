// What the loops of matrix products of bytes are given: some rows of the left matrix, and a panel
// of columns of the right one. See product_x86.cpp.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H
#define INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H

#include <stdint.h>

namespace intmill::native {

constexpr int64_t kProductLanes = 16;    // columns of a register
constexpr int64_t kProductColumns = 64;  // of a panel, at most
constexpr int64_t kProductGroup = 4;     // products that one instruction adds to a column

enum class ProductOutput { kU8, kS8, kF32, kCount };
enum class ProductAddend { kNone, kF32, kU8, kS8, kCount };

// The constants of a panel are there for whole registers, with zeros for columns that are not.
struct ProductPanel {
  const uint8_t* weights;  // s8: [depth / 4][column][4]
  const int32_t* start;    // of each sum: takes back what the zero point of the left matrix adds
  const float* scales;
  const float* bias;
  int64_t depth;    // a multiple of 4
  int64_t columns;  // 1 to 64
  // Weights that are wanted next, as many as these; null: unknown.
  const uint8_t* next;
};

// `out` and `addend` (which lies like it) point at the panel's first column in the first row. The
// addend is in other memory than the output: rows at the end may be computed twice.
struct ProductRows {
  const uint8_t* a;
  int64_t a_step;  // bytes from row to row
  int64_t rows;
  void* out;
  const void* addend;
  int64_t out_step;  // elements from row to row
};

// t = float(sum) * scale + bias; t = t + addend; min(max(t, low), high); t = t * factor;
// t = t + zero_point unless that is 0; bytes are rounded half to even and saturated.
struct ProductFinish {
  bool has_clamp;
  float low;
  float high;
  float factor;
  float zero_point;
};

using ProductLoop = void (*)(const ProductRows& rows, const ProductPanel& panel,
                             const ProductFinish& finish);

struct ProductLoops {
  ProductLoop loop[static_cast<int>(ProductOutput::kCount)]
                  [static_cast<int>(ProductAddend::kCount)];
};

// Rows of bytes, `step` bytes apart.
struct ByteMatrix {
  const uint8_t* data;
  int64_t step;
  int64_t rows;
  int64_t columns;
};

// Matrices that are known at run time, into panels one after the other; see attention_x86.cpp.
struct AttentionPacking {
  // For a product with the transposed matrix: its rows become columns. `step` and the number of
  // columns are multiples of 4; there is a start for each of the padded columns.
  void (*keys)(const ByteMatrix& keys, int32_t zero_point, uint8_t* weights, int32_t* start);
  // For a product whose depth is the number of rows, rounded up to a multiple of 4. `zeros`: as
  // many as the matrix has columns.
  void (*values)(const ByteMatrix& values, const uint8_t* zeros, uint8_t* weights);
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H
