// Reading and making DLPack tensors; what they claim is checked before it is believed.
#include "tensor/dlpack.h"

#include <cstring>
#include <memory>
#include <utility>

namespace intmill {
namespace {

constexpr int32_t kCpu = 1;
constexpr uint32_t kMajor = 1;
constexpr uint64_t kReadOnly = 1;

struct TypeRow {
  DType dtype;
  uint8_t code;
  uint8_t bits;
};

constexpr TypeRow kTypes[] = {
    {DType::kF32, 2, 32}, {DType::kF16, 2, 16}, {DType::kBf16, 4, 16},
    {DType::kS8, 0, 8},   {DType::kU8, 1, 8},   {DType::kS16, 0, 16},
    {DType::kS32, 0, 32}, {DType::kS64, 0, 64}, {DType::kBool, 6, 8},
};

Result<DType> ToDType(DLDataType type) {
  for (const TypeRow& row : kTypes)
    if (row.code == type.code && row.bits == type.bits && type.lanes == 1) return row.dtype;
  return Error(Code::kUnsupported, "DLPack type of code ", int{type.code}, ", ", int{type.bits},
               " bits and ", type.lanes, " lanes");
}

Status CheckDense(const DLTensor& dl, const Shape& shape) {
  if (dl.strides == nullptr || NumElements(shape) == 0) return Ok();
  const Shape dense = RowMajorStrides(shape);
  for (size_t i = 0; i < shape.size(); ++i)
    // The stride of a dimension of size 1 is never used; libraries put anything there.
    if (shape[i] != 1 && dl.strides[i] != dense[i])
      return Error(Code::kUnsupported, "DLPack stride ", dl.strides[i], " of dimension ", i,
                   ", wanted ", dense[i], " (row-major and dense)");
  return Ok();
}

// A view of the memory, owned by nobody yet.
Result<Tensor> ViewOf(const DLTensor& dl) {
  if (dl.device.device_type != kCpu)
    return Error(Code::kUnsupported, "DLPack device type ", dl.device.device_type,
                 ", wanted 1 (CPU)");
  ASSIGN_OR_RETURN(const DType dtype, ToDType(dl.dtype));
  if (dl.ndim < 0 || dl.ndim > kMaxRank || (dl.ndim > 0 && dl.shape == nullptr))
    return Error(Code::kInvalidArgument, "DLPack tensor of rank ", dl.ndim,
                 dl.shape == nullptr ? " without a shape" : "", ", the limit is ", kMaxRank);
  Shape shape(dl.shape, dl.shape + dl.ndim);
  TRY(CheckShape(shape, dtype));
  TRY(CheckDense(dl, shape));
  if (NumElements(shape) == 0) return Tensor::View(dtype, std::move(shape), nullptr, nullptr);
  if (dl.data == nullptr) return Error(Code::kInvalidArgument, "DLPack tensor without data");
  const auto address = reinterpret_cast<uintptr_t>(dl.data) + dl.byte_offset;
  if (address % static_cast<uintptr_t>(BitsOf(dtype) / 8) != 0)
    return Error(Code::kInvalidArgument, "DLPack data is not aligned to ", DTypeName(dtype));
  return Tensor::View(dtype, std::move(shape), static_cast<std::byte*>(dl.data) + dl.byte_offset,
                      nullptr);
}

template <typename Managed>
Tensor Adopt(const Tensor& view, Managed* dl) {
  // Made without a deleter first: if the count's memory cannot be had, nothing may be called.
  struct Owner {
    Managed* managed = nullptr;
    ~Owner() {
      if (managed != nullptr && managed->deleter != nullptr) managed->deleter(managed);
    }
  };
  const auto owner = std::make_shared<Owner>();
  Tensor t = Tensor::View(view.dtype(), view.shape(), view.data<void>(), owner);
  owner->managed = dl;
  return t;
}

Result<Tensor> CopyOf(const Tensor& view) {
  ASSIGN_OR_RETURN(Tensor copy, Tensor::Make(view.dtype(), view.shape()));
  if (view.bytes() > 0)
    std::memcpy(copy.mutable_data<void>(), view.data<void>(), static_cast<size_t>(view.bytes()));
  return copy;
}

// What a tensor made by ToDLPack points to, in one block that its deleter frees.
template <typename Managed>
struct Exported {
  Managed managed = {};
  Tensor tensor;
  Shape shape;
  Shape strides;
};

template <typename Managed>
Result<std::unique_ptr<Exported<Managed>>> Export(const Tensor& t) {
  const TypeRow* type = nullptr;
  for (const TypeRow& row : kTypes)
    if (row.dtype == t.dtype()) type = &row;
  if (type == nullptr)
    return Error(Code::kUnsupported, "a tensor of ", DTypeName(t.dtype()), " as DLPack");
  auto out = std::make_unique<Exported<Managed>>();
  out->tensor = t;
  out->shape = t.shape();
  out->strides = RowMajorStrides(t.shape());
  DLTensor& dl = out->managed.dl_tensor;
  dl.data = out->tensor.template mutable_data<void>();
  dl.device = {kCpu, 0};
  dl.ndim = static_cast<int32_t>(t.rank());
  dl.dtype = {type->code, type->bits, 1};
  dl.shape = out->shape.data();
  dl.strides = out->strides.data();
  out->managed.manager_ctx = out.get();
  out->managed.deleter = [](Managed* self) {
    const std::unique_ptr<Exported<Managed>> last(
        static_cast<Exported<Managed>*>(self->manager_ctx));
  };
  return out;
}

}  // namespace

Result<Tensor> FromDLPack(DLManagedTensor* dl) {
  ASSIGN_OR_RETURN(const Tensor view, ViewOf(dl->dl_tensor));
  return Adopt(view, dl);
}

Result<Tensor> FromDLPack(DLManagedTensorVersioned* dl) {
  // Of an unknown major version only the first three fields are known to mean what they say.
  if (dl->version.major > kMajor)
    return Error(Code::kBadVersion, "DLPack version ", dl->version.major, ".", dl->version.minor,
                 ", wanted at most ", kMajor, ".x");
  ASSIGN_OR_RETURN(const Tensor view, ViewOf(dl->dl_tensor));
  if ((dl->flags & kReadOnly) == 0) return Adopt(view, dl);
  ASSIGN_OR_RETURN(Tensor copy, CopyOf(view));
  if (dl->deleter != nullptr) dl->deleter(dl);
  return copy;
}

Result<DLManagedTensor*> ToDLPack(const Tensor& t) {
  ASSIGN_OR_RETURN(auto exported, Export<DLManagedTensor>(t));
  return &exported.release()->managed;
}

Result<DLManagedTensorVersioned*> ToDLPackVersioned(const Tensor& t) {
  ASSIGN_OR_RETURN(auto exported, Export<DLManagedTensorVersioned>(t));
  exported->managed.version = {kMajor, 0};
  return &exported.release()->managed;
}

}  // namespace intmill
