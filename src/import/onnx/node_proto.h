// NodeProto and AttributeProto: one operator of an ONNX graph as the file spells it.
#ifndef INTMILL_IMPORT_ONNX_NODE_PROTO_H
#define INTMILL_IMPORT_ONNX_NODE_PROTO_H

#include <string_view>
#include <vector>

#include "base/status.h"
#include "import/onnx/tensor_proto.h"
#include "ir/attributes.h"

namespace intmill::onnx {

// Views into the file.
struct NodeProto {
  std::string_view name;  // may be empty
  std::string_view op_type;
  std::string_view domain;               // "" also where the file says "ai.onnx"
  std::vector<std::string_view> inputs;  // "": absent
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> attributes;  // AttributeProto messages
};

Result<NodeProto> ReadNode(std::string_view message);

// All attributes of a node. Errors name the attribute.
Result<Attributes> ReadAttributes(const std::vector<std::string_view>& messages,
                                  const Source& source);

// What a Constant node with these attributes yields.
Result<Tensor> ConstantValue(const Attributes& attributes);

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_NODE_PROTO_H
