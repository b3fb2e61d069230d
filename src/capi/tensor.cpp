// C entries about tensors and DLPack.
#include "capi/convert.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "intmill/intmill.h"
#include "tensor/dlpack.h"

using namespace intmill;
using namespace intmill::capi;

namespace {

using TensorHandle = Result<std::unique_ptr<intmill_tensor>>;

Status CheckMemory(DType dtype, const Shape& shape, const void* data, int64_t bytes) {
  const int64_t needed = NumBytes(shape, dtype);
  if (bytes != needed)
    return Error(Code::kInvalidArgument, "found ", bytes, " bytes, ", ToString(shape), " ",
                 DTypeName(dtype), " takes ", needed);
  if (bytes > 0) TRY(CheckPointer(data, "data"));
  const auto element = static_cast<uintptr_t>(BitsOf(dtype) / 8);
  if (reinterpret_cast<uintptr_t>(data) % element != 0)
    return Error(Code::kInvalidArgument, "data is not aligned to ", element, " bytes");
  return Ok();
}

// The handle comes first: once the tensor is taken over, nothing may fail any more.
template <typename Managed>
TensorHandle TakeDLPack(Managed* dl) {
  TRY(CheckPointer(dl, "dl"));
  auto handle = std::make_unique<intmill_tensor>();
  ASSIGN_OR_RETURN(Tensor t, FromDLPack(dl));
  handle->Set(std::move(t));
  return handle;
}

}  // namespace

intmill_status intmill_tensor_create(intmill_dtype dtype, int64_t rank, const int64_t* dims,
                                     intmill_tensor** out) {
  return Create(out, [&]() -> TensorHandle {
    ASSIGN_OR_RETURN(Shape shape, ToShape(dtype, rank, dims));
    return WrapTensor(Tensor::Make(static_cast<DType>(dtype), std::move(shape)));
  });
}

intmill_status intmill_tensor_wrap(intmill_dtype dtype, int64_t rank, const int64_t* dims,
                                   void* data, int64_t bytes, intmill_free_fn free_fn, void* user,
                                   intmill_tensor** out) {
  return Create(out, [&]() -> TensorHandle {
    ASSIGN_OR_RETURN(Shape shape, ToShape(dtype, rank, dims));
    const auto type = static_cast<DType>(dtype);
    TRY(CheckMemory(type, shape, data, bytes));
    const Lent lent(data, free_fn, user);
    TensorHandle handle = WrapTensor(Tensor::View(type, std::move(shape), data, lent.owner()));
    if (handle.ok()) lent.Take();
    return handle;
  });
}

intmill_status intmill_tensor_from_dlpack(struct DLManagedTensor* dl, intmill_tensor** out) {
  return Create(out, [&] { return TakeDLPack(dl); });
}

intmill_status intmill_tensor_from_dlpack_versioned(struct DLManagedTensorVersioned* dl,
                                                    intmill_tensor** out) {
  return Create(out, [&] { return TakeDLPack(dl); });
}

intmill_status intmill_tensor_to_dlpack(intmill_tensor* t, struct DLManagedTensor** out) {
  if (out != nullptr) *out = nullptr;
  return Guard([&]() -> Status {
    TRY(CheckPointer(out, "out"));
    TRY(CheckHandle(t, "t"));
    ASSIGN_OR_RETURN(*out, ToDLPack(t->value));
    return Ok();
  });
}

intmill_status intmill_tensor_to_dlpack_versioned(intmill_tensor* t,
                                                  struct DLManagedTensorVersioned** out) {
  if (out != nullptr) *out = nullptr;
  return Guard([&]() -> Status {
    TRY(CheckPointer(out, "out"));
    TRY(CheckHandle(t, "t"));
    ASSIGN_OR_RETURN(*out, ToDLPackVersioned(t->value));
    return Ok();
  });
}

void intmill_tensor_release(intmill_tensor* t) { Release(t); }

intmill_dtype intmill_tensor_dtype(const intmill_tensor* t) {
  return static_cast<intmill_dtype>(Alive(t) ? t->value.dtype() : DType::kNone);
}

int64_t intmill_tensor_rank(const intmill_tensor* t) { return Alive(t) ? t->value.rank() : 0; }

const int64_t* intmill_tensor_dims(const intmill_tensor* t) {
  return Alive(t) ? t->value.shape().data() : nullptr;
}

int64_t intmill_tensor_bytes(const intmill_tensor* t) { return Alive(t) ? t->value.bytes() : 0; }

void* intmill_tensor_data(intmill_tensor* t) {
  return Alive(t) ? t->value.mutable_data<void>() : nullptr;
}

const intmill_qparams* intmill_tensor_qparams(const intmill_tensor* t) {
  return Alive(t) && t->qparams.value != nullptr ? &t->qparams : nullptr;
}
