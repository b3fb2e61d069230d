// TensorProto: the constants of an ONNX file.
#ifndef INTMILL_IMPORT_ONNX_TENSOR_PROTO_H
#define INTMILL_IMPORT_ONNX_TENSOR_PROTO_H

#include <string_view>

#include "base/file.h"
#include "base/status.h"
#include "import/onnx/external.h"
#include "tensor/tensor.h"

namespace intmill::onnx {

// The element type behind an ONNX number, or kUnsupported with ONNX's name of it.
Result<DType> DTypeOf(int64_t onnx_type);

// As CheckShape, for shapes that come from the file: what is wrong with them is kBadFormat.
Status CheckFileShape(const Shape& shape, DType dtype);

// What tensors may point into, so that it lives as long as they do.
struct Source {
  BlobPtr file;
  ExternalFiles* external;  // null: external data is not expected here
};

// What a TensorProto is called, without reading the rest of it.
Result<std::string_view> ReadTensorName(std::string_view message);

// The tensor. Raw data is used in place when aligned for its type, else copied.
Result<Tensor> ReadTensor(std::string_view message, const Source& source);

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_TENSOR_PROTO_H
