// The left matrix of a product of bytes, as its loops read it: rows that all lie equally far apart.
#ifndef INTMILL_KERNELS_NATIVE_LEFT_ROWS_H
#define INTMILL_KERNELS_NATIVE_LEFT_ROWS_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/matmul.h"

namespace intmill::native {

constexpr int64_t kCopyGrain = 16 * 1024;  // bytes that are worth another thread

struct RowLayout {
  int64_t rows = 0;
  int64_t step = 0;  // bytes from row to row
  // See ProductRows; empty: null.
  std::vector<int64_t> part_offsets = {};
  std::vector<int32_t> out_rows = {};
};

// Rows that are there already: of a kernel's first input, one after the other.
class LeftRows {
 public:
  explicit LeftRows(RowLayout layout) : layout_(std::move(layout)) {}
  virtual ~LeftRows() = default;
  LeftRows(const LeftRows&) = delete;
  LeftRows& operator=(const LeftRows&) = delete;

  const RowLayout& layout() const { return layout_; }
  virtual int64_t scratch_bytes() const { return 0; }
  // Where the first row lies, from the kernel's first input. In parallel.
  virtual const uint8_t* Prepare(const uint8_t* a, std::byte* /*scratch*/) const { return a; }

 private:
  const RowLayout layout_;
};

// Those of a matrix product, gathered where they lie apart.
std::unique_ptr<LeftRows> RowsOfMatMul(const MatMul& m);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LEFT_ROWS_H
