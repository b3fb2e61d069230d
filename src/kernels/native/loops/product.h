// What the loops of matrix products of bytes are given: some rows of the left matrix, and a panel
// of columns of the right one. See product_x86.cpp and product_tiles_x86.cpp.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H
#define INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H

#include <stdint.h>

namespace intmill::native {

constexpr int64_t kProductLanes = 16;    // columns of a register
constexpr int64_t kProductColumns = 64;  // of a panel, at most
constexpr int64_t kProductGroup = 4;     // products that one instruction adds to a column

// Rows that are multiplied together with a panel of so many registers: their sums fill two dozen.
constexpr int ProductRowsFor(int64_t registers) {
  return registers == 4 ? 6 : registers == 3 ? 8 : 12;
}

// Rows that tiles multiply together, and columns of their panels.
constexpr int64_t kProductTileBlock = 32;

// kEntries: bytes looked up in a table, which needs AVX-512 VBMI. kPlainBytes: of sums that with
// their scale and bias need rounding only, which is a third less work.
enum class ProductOutput { kBytes, kF32, kEntries, kS32, kPlainBytes };
enum class ProductAddend { kNone, kF32, kBytes };

// The constants of a panel are there for whole registers, with zeros for columns that are not.
struct ProductPanel {
  const uint8_t* weights;  // s8: [depth / 4][column][4]
  const int32_t* start;    // of each sum: takes back what the zero point of the left matrix adds
  const float* scales;
  const float* bias;
  int64_t depth;    // a multiple of 4
  int64_t columns;  // 1 to 64
  int64_t step;     // of tiles: the depth that they multiply at once, at most 64; divides each part
  // Weights that are wanted next; null: unknown.
  const uint8_t* next;
  int64_t next_bytes;
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
  // Of tiles only. Where equal parts of each row's depth begin, in bytes behind the row; null: they
  // are one.
  const int64_t* part_offsets = nullptr;
  int64_t parts = 1;
  // `out` and `addend` are those of row 0 of the output, and these the rows of it that are
  // computed, -1 for none; null: all in order.
  const int32_t* out_rows = nullptr;
};

// t = float(sum) * scale + bias; t = t + addend; t = min(max(t, low), high). For bytes further
// t * factor + zero_point, rounded half to even and saturated. Each operation is rounded on its
// own.
struct ProductFinish {
  bool has_clamp;
  float low;
  float high;
  bool is_signed;  // bytes, from here on
  float factor;
  float zero_point;
  float highest;         // 255, or 127 of signed ones
  bool may_overflow;     // whether numbers may be too high for 32 bits
  int32_t addend_bits;   // of an addend in bytes: all where they are signed, else the lowest eight
  const uint8_t* table;  // of kEntries: 256, one for each byte
};

using ProductLoop = void (*)(const ProductRows& rows, const ProductPanel& panel,
                             const ProductFinish& finish);

struct ProductLoops {
  ProductLoop finished[3][3];  // by output, the first three, and by addend
  ProductLoop plain_bytes;     // without an addend
};

// Rows of bytes, `step` bytes apart.
struct ByteMatrix {
  const uint8_t* data;
  int64_t step;
  int64_t rows;
  int64_t columns;
};

// One panel of a right matrix of s8. See product_packing_x86.cpp.
struct ProductPacking {
  // Columns [first, first + columns). The depth is the number of rows, rounded up to a multiple of
  // 4 by rows that are read from `zeros`, which has as many as the matrix has columns.
  void (*panel)(const ByteMatrix& m, int64_t first, int64_t columns, const uint8_t* zeros,
                uint8_t* weights);
  // Of a transposed matrix: its rows [first, first + columns) become columns. `step` and the
  // matrix's own number of columns are multiples of 4.
  void (*transposed_panel)(const ByteMatrix& m, int64_t first, int64_t columns, uint8_t* weights);
  // For each of the panel's padded columns: -zero_point * its sum.
  void (*start)(const uint8_t* weights, int64_t columns, int64_t depth, int32_t zero_point,
                int32_t* start);
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_PRODUCT_H
