// The right matrix of a product of bytes, constant, as its loops read it: panels of up to 64
// columns, each with its weights, starts, scales and biases in one piece.
#ifndef INTMILL_KERNELS_NATIVE_PACKED_PRODUCT_H
#define INTMILL_KERNELS_NATIVE_PACKED_PRODUCT_H

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/status.h"
#include "kernels/matmul.h"
#include "kernels/native/levels.h"
#include "tensor/kernel_record.h"

namespace intmill::native {

// Weights that lie in another order than a matrix's: writes those of columns [first, first + n) as
// n rows of the depth. On any thread.
using WeightRows = std::function<void(int64_t first, int64_t n, uint8_t* rows)>;

class PackedProduct {
 public:
  // For `chunk_rows` rows that are multiplied with one panel after the other, whose depth has parts
  // of `part_depth`. `weight_rows`: empty where the weights are a matrix.
  static Result<PackedProduct> Pack(const MatMul& m, const Products& products, int64_t chunk_rows,
                                    int64_t part_depth, const WeightRows& weight_rows);

  int64_t count() const { return (columns_ + width_ - 1) / width_; }
  int64_t width() const { return width_; }  // of all panels but the last
  int64_t bytes() const { return Offset(count()); }
  ProductPanel Panel(int64_t i) const;
  std::span<const std::byte> Weights(int64_t i) const {
    return {memory_.get() + Offset(i), static_cast<size_t>(Padded(i) * depth_)};
  }

 private:
  int64_t Offset(int64_t i) const;
  int64_t ColumnsOf(int64_t i) const;
  int64_t Padded(int64_t i) const;
  void PackPanel(const MatMul& m, int64_t panel, const ProductPacking& packing,
                 const WeightRows& weight_rows, std::byte* memory) const;

  int64_t depth_ = 0;
  int64_t columns_ = 0;
  int64_t width_ = 0;
  int64_t step_ = 0;
  SharedBytes memory_;
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_PACKED_PRODUCT_H
