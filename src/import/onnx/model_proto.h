// ModelProto, GraphProto and ValueInfoProto: the frame of an ONNX file.
#ifndef INTMILL_IMPORT_ONNX_MODEL_PROTO_H
#define INTMILL_IMPORT_ONNX_MODEL_PROTO_H

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tensor/shape.h"

namespace intmill::onnx {

// Views into the file; nested messages stay unread until somebody needs them.
struct ModelProto {
  int64_t ir_version = 0;
  std::string_view producer_name;
  std::string_view producer_version;
  std::string_view graph;
  bool has_graph = false;
  std::map<std::string, int64_t, std::less<>> opsets;        // by domain, "" for ai.onnx
  std::map<std::string, std::string, std::less<>> metadata;  // metadata_props
};
// Also checks the versions.
Result<ModelProto> ReadModelProto(std::string_view message);

struct GraphProto {
  std::vector<std::string_view> nodes;
  std::vector<std::string_view> initializers;
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::vector<std::string_view> value_infos;
};
Result<GraphProto> ReadGraphProto(std::string_view message);

struct ValueInfo {
  std::string_view name;
  const char* kind = nullptr;          // "tensor", "sequence"...; null: no type is given
  int64_t onnx_type = 0;               // of a tensor's elements
  std::optional<Shape> shape;          // of a tensor, where given
  std::vector<std::string> dim_names;  // as long as *shape
};
Result<ValueInfo> ReadValueInfo(std::string_view message, const char* what);

}  // namespace intmill::onnx

#endif  // INTMILL_IMPORT_ONNX_MODEL_PROTO_H
