// Reads the frame of an ONNX file. Types nest without end in protobuf (a sequence of sequences);
// only tensors are read, so the depth of the walk is fixed.
#include "import/onnx/model_proto.h"

#include <utility>

#include "import/onnx/limits.h"
#include "import/onnx/wire.h"

namespace intmill::onnx {
namespace {

Status ReadOpset(std::string_view message, ModelProto& model) {
  std::string_view domain;
  int64_t version = 0;
  Fields fields(message, "opset_import");
  while (fields.Next()) {
    if (fields.tag() == 1) domain = fields.Name();
    if (fields.tag() == 2) version = fields.Int();
  }
  TRY(fields.status());
  if (domain == "ai.onnx") domain = {};
  const auto [entry, is_new] = model.opsets.emplace(domain, version);
  if (!is_new && entry->second != version) {
    return Error(Code::kBadFormat, "opsets ", entry->second, " and ", version, " of ",
                 domain.empty() ? "ai.onnx" : domain, " are both imported");
  }
  return Ok();
}

Status ReadMetadata(std::string_view message, ModelProto& model) {
  std::string_view key;
  std::string_view value;
  Fields fields(message, "metadata_props");
  while (fields.Next()) {
    if (fields.tag() == 1) key = fields.Name();
    if (fields.tag() == 2) value = fields.Bytes();
  }
  TRY(fields.status());
  model.metadata.insert_or_assign(std::string(key), std::string(value));
  return Ok();
}

Status CheckVersions(const ModelProto& model) {
  if (model.ir_version < kMinIrVersion || model.ir_version > kMaxIrVersion) {
    return Error(Code::kBadVersion, "IR version ", model.ir_version, " found, ", kMinIrVersion,
                 " to ", kMaxIrVersion, " wanted");
  }
  const auto opset = model.opsets.find("");
  if (opset == model.opsets.end()) return Ok();
  if (opset->second < kMinOpset || opset->second > kMaxOpset) {
    return Error(Code::kBadVersion, "opset ", opset->second, " found, ", kMinOpset, " to ",
                 kMaxOpset, " wanted");
  }
  return Ok();
}

Status ReadDim(std::string_view message, ValueInfo& info) {
  int64_t size = kDynamic;
  std::string_view name;
  Fields fields(message, "dimension");
  while (fields.Next()) {
    if (fields.tag() == 1) size = fields.Int();
    if (fields.tag() == 2) name = fields.Name();
  }
  TRY(fields.status());
  // Some exporters write -1 for "unknown"; every other negative number is damage.
  if (size < kDynamic || size > kMaxDim)
    return Error(Code::kBadFormat, "dimension of ", size, ", 0 to ", kMaxDim, " wanted");
  if (static_cast<int64_t>(info.shape->size()) == kMaxRank)
    return Error(Code::kBadFormat, "more than ", kMaxRank, " dimensions");
  info.shape->push_back(size);
  info.dim_names.emplace_back(size == kDynamic ? name : std::string_view());
  return Ok();
}

Status ReadShape(std::string_view message, ValueInfo& info) {
  info.shape = Shape();
  info.dim_names.clear();
  Fields fields(message, "shape");
  while (fields.Next()) {
    if (fields.tag() != 1) continue;
    const std::string_view dim = fields.Bytes();
    if (fields.status().ok()) fields.Fail(ReadDim(dim, info));
  }
  return fields.status();
}

Status ReadTensorType(std::string_view message, ValueInfo& info) {
  Fields fields(message, "tensor type");
  while (fields.Next()) {
    if (fields.tag() == 1) info.onnx_type = fields.Int();
    if (fields.tag() == 2) {
      const std::string_view shape = fields.Bytes();
      if (fields.status().ok()) fields.Fail(ReadShape(shape, info));
    }
  }
  return fields.status();
}

Status ReadType(std::string_view message, ValueInfo& info) {
  Fields fields(message, "type");
  while (fields.Next()) {
    switch (fields.tag()) {
      case 1: {
        info.kind = "tensor";
        const std::string_view type = fields.Bytes();
        if (fields.status().ok()) fields.Fail(ReadTensorType(type, info));
        break;
      }
      case 4:
        info.kind = "sequence";
        break;
      case 5:
        info.kind = "map";
        break;
      case 7:
        info.kind = "opaque";
        break;
      case 8:
        info.kind = "sparse tensor";
        break;
      case 9:
        info.kind = "optional";
        break;
      default:
        break;
    }
  }
  return fields.status();
}

Status CheckCounts(const GraphProto& graph) {
  if (static_cast<int64_t>(graph.nodes.size()) > kMaxNodes) {
    return Error(Code::kBadFormat, graph.nodes.size(), " nodes, at most ", kMaxNodes, " wanted");
  }
  const size_t values = graph.initializers.size() + graph.inputs.size() + graph.outputs.size();
  if (static_cast<int64_t>(values) > kMaxValues)
    return Error(Code::kBadFormat, values, " tensors, at most ", kMaxValues, " wanted");
  return Ok();
}

}  // namespace

Result<ModelProto> ReadModelProto(std::string_view message) {
  ModelProto model;
  int64_t metadata_bytes = 0;
  Fields fields(message, "model");
  while (fields.Next()) {
    switch (fields.tag()) {
      case 1:
        model.ir_version = fields.Int();
        break;
      case 2:
        model.producer_name = fields.Name();
        break;
      case 3:
        model.producer_version = fields.Name();
        break;
      case 7:
        if (model.has_graph) return Error(Code::kBadFormat, "holds two graphs");
        model.graph = fields.Bytes();
        model.has_graph = true;
        break;
      case 8: {
        const std::string_view opset = fields.Bytes();
        if (fields.status().ok()) fields.Fail(ReadOpset(opset, model));
        break;
      }
      case 14: {
        const std::string_view entry = fields.Bytes();
        metadata_bytes += static_cast<int64_t>(entry.size());
        if (metadata_bytes > kMaxMetadataBytes)
          return Error(Code::kBadFormat, "more than ", kMaxMetadataBytes, " bytes of metadata");
        if (fields.status().ok()) fields.Fail(ReadMetadata(entry, model));
        break;
      }
      default:
        break;
    }
  }
  TRY(fields.status());
  TRY(CheckVersions(model));
  if (!model.has_graph) return Error(Code::kBadFormat, "holds no graph");
  return model;
}

Result<GraphProto> ReadGraphProto(std::string_view message) {
  GraphProto graph;
  Fields fields(message, "graph");
  while (fields.Next()) {
    switch (fields.tag()) {
      case 1:
        graph.nodes.push_back(fields.Bytes());
        break;
      case 5:
        graph.initializers.push_back(fields.Bytes());
        break;
      case 11:
        graph.inputs.push_back(fields.Bytes());
        break;
      case 12:
        graph.outputs.push_back(fields.Bytes());
        break;
      case 13:
        graph.value_infos.push_back(fields.Bytes());
        break;
      case 15:
        return Error(Code::kUnsupported, "sparse initializers are not supported");
      default:
        break;
    }
  }
  TRY(fields.status());
  TRY(CheckCounts(graph));
  return graph;
}

Result<ValueInfo> ReadValueInfo(std::string_view message, const char* what) {
  ValueInfo info;
  std::string_view type;
  Fields fields(message, what);
  while (fields.Next()) {
    if (fields.tag() == 1) info.name = fields.Name();
    if (fields.tag() == 2) type = fields.Bytes();
  }
  TRY(fields.status());
  TRY(ReadType(type, info).At(Cat(what, " '", info.name, "'")));
  return info;
}

}  // namespace intmill::onnx
