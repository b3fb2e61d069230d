// DLPack, the layout in which array libraries hand each other tensors: both its versions.
#ifndef INTMILL_TENSOR_DLPACK_H
#define INTMILL_TENSOR_DLPACK_H

#include <cstdint>

#include "base/status.h"
#include "tensor/tensor.h"

// The structures of the DLPack 1.0 specification (github.com/dmlc/dlpack), outside any
// namespace as the public header declares them. Only sizes and offsets matter: they are the
// contract.
struct DLDevice {
  int32_t device_type;  // 1: CPU
  int32_t device_id;
};

struct DLDataType {
  uint8_t code;  // 0 int, 1 uint, 2 float, 4 bfloat, 6 bool
  uint8_t bits;
  uint16_t lanes;
};

struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides;  // in elements; null: row-major and dense
  uint64_t byte_offset;
};

struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor* self);
};

struct DLPackVersion {
  uint32_t major;
  uint32_t minor;
};

struct DLManagedTensorVersioned {
  DLPackVersion version;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned* self);
  uint64_t flags;  // bit 0: read-only
  DLTensor dl_tensor;
};

namespace intmill {

// The result calls the deleter when its memory is no longer needed. On failure nothing is called.
Result<Tensor> FromDLPack(DLManagedTensor* dl);
// A read-only tensor is copied and given back at once; a major version above 1 is kBadVersion.
Result<Tensor> FromDLPack(DLManagedTensorVersioned* dl);

// The result keeps the tensor's memory until its deleter is called. 4-bit types are refused.
Result<DLManagedTensor*> ToDLPack(const Tensor& t);
Result<DLManagedTensorVersioned*> ToDLPackVersioned(const Tensor& t);

}  // namespace intmill

#endif  // INTMILL_TENSOR_DLPACK_H
