// Tensor: typed n-dimensional memory, row-major and dense, shared by its copies.
#ifndef INTMILL_TENSOR_TENSOR_H
#define INTMILL_TENSOR_TENSOR_H

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "tensor/dtype.h"
#include "tensor/qparams.h"
#include "tensor/shape.h"

namespace intmill {

class Tensor {
 public:
  Tensor() = default;  // no memory, DType::kNone

  // Zeroed memory of its own.
  static Result<Tensor> Make(DType dtype, Shape shape);
  // Borrows `data`, kept alive by `owner` (may be null: then by the caller). `data` may be
  // read-only memory as long as nobody asks for mutable_data(). The shape must have passed
  // CheckShape.
  static Tensor View(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner);
  // Rank 1, copies of the values.
  static Result<Tensor> Of(std::span<const int64_t> values);
  static Result<Tensor> Of(std::span<const float> values);
  // Rank 0.
  static Result<Tensor> Scalar(float value);
  static Result<Tensor> Scalar(int64_t value);

  bool valid() const { return dtype_ != DType::kNone; }
  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t dim(int64_t i) const { return shape_[static_cast<size_t>(i)]; }
  int64_t elements() const { return NumElements(shape_); }
  int64_t bytes() const { return NumBytes(shape_, dtype_); }

  // T must match dtype() (checked in debug builds); void and std::byte match all.
  template <typename T>
  const T* data() const {
    return static_cast<const T*>(data_);
  }
  template <typename T>
  T* mutable_data() {
    return static_cast<T*>(const_cast<void*>(data_));
  }
  template <typename T>
  std::span<const T> values() const {
    return {data<T>(), static_cast<size_t>(elements())};
  }

  // Same memory, another shape with as many elements.
  Result<Tensor> Reshaped(Shape shape) const;

  const QParamsPtr& qparams() const { return qparams_; }  // null: not quantized
  void set_qparams(QParamsPtr q) { qparams_ = std::move(q); }

 private:
  DType dtype_ = DType::kNone;
  Shape shape_;
  const void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
  QParamsPtr qparams_;
};

// Any integer, bool or float tensor as int64 / float values (for axes, shapes, limits).
Result<std::vector<int64_t>> ToInts(const Tensor& t);
Result<std::vector<float>> ToFloats(const Tensor& t);

}  // namespace intmill

#endif  // INTMILL_TENSOR_TENSOR_H
