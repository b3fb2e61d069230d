// Tensors: making them, sharing their memory, and reading them as plain numbers.
#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/memory.h"
#include "tensor/half.h"
#include "tensor/nibble.h"

namespace intmill {
namespace {

template <typename T>
Result<Tensor> Copy(std::span<const T> values, Shape shape) {
  ASSIGN_OR_RETURN(Tensor t, Tensor::Make(DTypeOfType<T>::value, std::move(shape)));
  std::ranges::copy(values, t.mutable_data<T>());
  return t;
}

// Calls visit(i, value) for each element, with the number that its type holds.
template <typename Visit>
bool ForEachNumber(const Tensor& t, Visit&& visit) {
  const int64_t n = t.elements();
  const auto plain = [&](const auto* data) {
    for (int64_t i = 0; i < n; ++i) visit(i, data[i]);
    return true;
  };
  switch (t.dtype()) {
    case DType::kF32:
      return plain(t.data<float>());
    case DType::kS8:
      return plain(t.data<int8_t>());
    case DType::kU8:
      return plain(t.data<uint8_t>());
    case DType::kS16:
      return plain(t.data<int16_t>());
    case DType::kS32:
      return plain(t.data<int32_t>());
    case DType::kS64:
      return plain(t.data<int64_t>());
    case DType::kBool:
      // Read as bytes: a file or a caller may have put other values than 0 and 1 there.
      for (int64_t i = 0; i < n; ++i) visit(i, int64_t{t.data<uint8_t>()[i] != 0});
      return true;
    case DType::kF16:
      for (int64_t i = 0; i < n; ++i) visit(i, F16ToFloat(t.data<uint16_t>()[i]));
      return true;
    case DType::kBf16:
      for (int64_t i = 0; i < n; ++i) visit(i, Bf16ToFloat(t.data<uint16_t>()[i]));
      return true;
    case DType::kS4:
    case DType::kU4:
      for (int64_t i = 0; i < n; ++i)
        visit(i, NibbleAt(t.data<uint8_t>(), i, t.dtype() == DType::kS4));
      return true;
    case DType::kNone:
      break;
  }
  return false;
}

bool IsFloat(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBf16;
}

}  // namespace

Result<Tensor> Tensor::Make(DType dtype, Shape shape) {
  TRY(CheckShape(shape, dtype));
  ASSIGN_OR_RETURN(AlignedBytes bytes, AllocateAligned(NumBytes(shape, dtype)));
  const std::shared_ptr<const std::byte[]> owner = std::move(bytes);
  return View(dtype, std::move(shape), owner.get(), owner);
}

Tensor Tensor::View(DType dtype, Shape shape, const void* data, std::shared_ptr<const void> owner) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = std::move(shape);
  t.data_ = data;
  t.owner_ = std::move(owner);
  return t;
}

Result<Tensor> Tensor::Of(std::span<const int64_t> values) {
  return Copy(values, {static_cast<int64_t>(values.size())});
}

Result<Tensor> Tensor::Of(std::span<const float> values) {
  return Copy(values, {static_cast<int64_t>(values.size())});
}

Result<Tensor> Tensor::Scalar(float value) { return Copy(std::span<const float>(&value, 1), {}); }

Result<Tensor> Tensor::Scalar(int64_t value) {
  return Copy(std::span<const int64_t>(&value, 1), {});
}

Result<Tensor> Tensor::Reshaped(Shape shape) const {
  TRY(CheckShape(shape, dtype_));
  if (NumElements(shape) != elements())
    return Error(Code::kShape, ToString(shape_), " has ", elements(), " elements, ",
                 ToString(shape), " has ", NumElements(shape));
  // An axis of scales would point at another dimension, or at none.
  if (qparams_ != nullptr && !qparams_->per_tensor())
    return Error(Code::kUnsupported, "reshaping a tensor with a scale for each index of axis ",
                 qparams_->axis);
  Tensor t = *this;
  t.shape_ = std::move(shape);
  return t;
}

Result<std::vector<int64_t>> ToInts(const Tensor& t) {
  if (!t.valid() || IsFloat(t.dtype()))
    return Error(Code::kUnsupported, "found ", DTypeName(t.dtype()), " values, wanted integers");
  std::vector<int64_t> out(static_cast<size_t>(t.elements()));
  ForEachNumber(
      t, [&](int64_t i, auto value) { out[static_cast<size_t>(i)] = static_cast<int64_t>(value); });
  return out;
}

Result<std::vector<float>> ToFloats(const Tensor& t) {
  if (!t.valid()) return Error(Code::kUnsupported, "found no values, wanted numbers");
  std::vector<float> out(static_cast<size_t>(t.elements()));
  ForEachNumber(
      t, [&](int64_t i, auto value) { out[static_cast<size_t>(i)] = static_cast<float>(value); });
  return out;
}

}  // namespace intmill
