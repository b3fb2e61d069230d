// Writes an .im file: the same bytes for the same graph.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "format/attribute_kind.h"
#include "format/format.h"
#include "format/header.h"
#include "format/limits.h"
#include "format/sections.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ir/opset.h"

namespace intmill {
namespace format {
namespace {

// The rows and pools of model.fbs, filled in the order in which they are read.
class Structure {
 public:
  Structure(const Graph& graph, const SectionTable& sections)
      : graph_(graph), sections_(sections) {}

  Result<flatbuffers::DetachedBuffer> Build() {
    if (static_cast<int64_t>(graph_.values.size()) > kMaxTensors ||
        static_cast<int64_t>(graph_.nodes.size()) > kMaxNodes) {
      return Error(Code::kUnsupported, graph_.values.size(), " values and ", graph_.nodes.size(),
                   " nodes, at most ", kMaxTensors, " and ", kMaxNodes, " wanted");
    }
    for (size_t i = 0; i < graph_.values.size(); ++i)
      TRY(Add(graph_.values[i], sections_.of_values[i]));
    for (const Node& node : graph_.nodes) TRY(Add(node).At(Place(node)));
    for (const auto& [key, text] : graph_.metadata) {
      AddString(key);
      AddString(text);
    }
    TRY(CheckSize());
    return Finish();
  }

 private:
  Status Add(const Value& value, int32_t section);
  Status Add(const Node& node);
  Status Add(const Attribute& attribute);
  Status AddName(std::string_view name, bool may_be_empty);
  void AddString(std::string_view text);
  Status CheckSize() const;
  flatbuffers::DetachedBuffer Finish() const;

  const Graph& graph_;
  const SectionTable& sections_;
  size_t tensors_added_ = 0;
  std::vector<ValueRow> values_;
  std::vector<NodeRow> nodes_;
  std::vector<AttributeRow> attributes_;
  std::vector<TensorRow> tensors_;
  std::vector<int32_t> ids_;
  std::vector<int64_t> dims_;
  std::vector<int64_t> ints_;
  std::vector<float> floats_;
  std::vector<uint32_t> string_bytes_;
  std::vector<uint8_t> characters_;
};

void Structure::AddString(std::string_view text) {
  string_bytes_.push_back(static_cast<uint32_t>(
      std::min(text.size(), static_cast<size_t>(UINT32_MAX))));  // CheckSize refuses such sizes
  characters_.insert(characters_.end(), text.begin(), text.end());
}

Status Structure::AddName(std::string_view name, bool may_be_empty) {
  if (name.empty() && !may_be_empty) return Error(Code::kInvalidArgument, "a name is empty");
  if (static_cast<int64_t>(name.size()) > kMaxNameBytes) {
    return Error(Code::kUnsupported, "a name has ", name.size(), " bytes, at most ", kMaxNameBytes,
                 " wanted");
  }
  AddString(name);
  return Ok();
}

Status Structure::Add(const Value& value, int32_t section) {
  if (value.qparams != nullptr)
    return Error(Code::kInvalidArgument, "value '", value.name, "' was compiled to integers, ",
                 "and compiled graphs are not saved");
  TRY(AddName(value.name, false));
  int32_t rank = -1;
  if (value.shape) {
    rank = static_cast<int32_t>(value.shape->size());
    dims_.insert(dims_.end(), value.shape->begin(), value.shape->end());
  }
  const bool has_names = value.dim_names.size() == value.shape.value_or(Shape()).size();
  const auto dim_names = static_cast<uint32_t>(has_names ? value.dim_names.size() : 0);
  for (uint32_t i = 0; i < dim_names; ++i) TRY(AddName(value.dim_names[i], true));
  values_.emplace_back(static_cast<int32_t>(value.dtype), rank, dim_names, section);
  return Ok();
}

struct KindOf {
  AttributeKind operator()(int64_t) const { return AttributeKind::kInt; }
  AttributeKind operator()(float) const { return AttributeKind::kFloat; }
  AttributeKind operator()(const std::string&) const { return AttributeKind::kString; }
  AttributeKind operator()(const std::vector<int64_t>&) const { return AttributeKind::kInts; }
  AttributeKind operator()(const std::vector<float>&) const { return AttributeKind::kFloats; }
  AttributeKind operator()(const std::vector<std::string>&) const {
    return AttributeKind::kStrings;
  }
  AttributeKind operator()(const Tensor&) const { return AttributeKind::kTensor; }
};

Status Structure::Add(const Attribute& attribute) {
  const auto kind = static_cast<uint32_t>(std::visit(KindOf(), attribute));
  size_t count = 1;
  if (const auto* number = std::get_if<int64_t>(&attribute)) {
    ints_.push_back(*number);
  } else if (const auto* real = std::get_if<float>(&attribute)) {
    floats_.push_back(*real);
  } else if (const auto* text = std::get_if<std::string>(&attribute)) {
    AddString(*text);
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&attribute)) {
    count = ints->size();
    ints_.insert(ints_.end(), ints->begin(), ints->end());
  } else if (const auto* floats = std::get_if<std::vector<float>>(&attribute)) {
    count = floats->size();
    floats_.insert(floats_.end(), floats->begin(), floats->end());
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&attribute)) {
    count = strings->size();
    for (const std::string& each : *strings) AddString(each);
  } else if (const auto* tensor = std::get_if<Tensor>(&attribute)) {
    tensors_.emplace_back(static_cast<int32_t>(tensor->dtype()),
                          static_cast<int32_t>(tensor->rank()),
                          sections_.of_tensors[tensors_added_++]);
    dims_.insert(dims_.end(), tensor->shape().begin(), tensor->shape().end());
  }
  attributes_.emplace_back(kind, static_cast<uint32_t>(count));
  return Ok();
}

Status Structure::Add(const Node& node) {
  if (!node.post_ops.empty())
    return Error(Code::kInvalidArgument, "has fused operators, and compiled graphs are not saved");
  const size_t attributes = node.attrs.all().size();
  if (static_cast<int64_t>(attributes) > kMaxAttributes)
    return Error(Code::kUnsupported, attributes, " attributes, at most ", kMaxAttributes,
                 " wanted");
  TRY(AddName(node.name, false));
  TRY(AddName(node.op->name, false));
  TRY(AddName(node.op->domain, true));
  for (const auto& [name, attribute] : node.attrs.all()) {
    TRY(AddName(name, false));
    TRY(Add(attribute));
  }
  ids_.insert(ids_.end(), node.inputs.begin(), node.inputs.end());
  ids_.insert(ids_.end(), node.outputs.begin(), node.outputs.end());
  nodes_.emplace_back(static_cast<uint32_t>(attributes), static_cast<uint32_t>(node.inputs.size()),
                      static_cast<uint32_t>(node.outputs.size()));
  return Ok();
}

template <typename... Vectors>
int64_t BytesOf(const Vectors&... vectors) {
  return (static_cast<int64_t>(vectors.size() * sizeof(vectors[0])) + ...);
}

// The FlatBuffer adds a small table and some padding to these bytes.
Status Structure::CheckSize() const {
  constexpr int64_t kTable = 1024;
  const int64_t bytes =
      kTable + BytesOf(values_, nodes_, attributes_, tensors_, sections_.rows, graph_.inputs,
                       graph_.outputs, ids_, dims_, ints_, floats_, string_bytes_, characters_);
  if (bytes > kMaxStructureBytes || static_cast<int64_t>(characters_.size()) > kMaxCharacters) {
    return Error(Code::kUnsupported, "the structure has ", bytes, " bytes, ", characters_.size(),
                 " of them characters; at most ", kMaxStructureBytes, " and ", kMaxCharacters,
                 " wanted");
  }
  return Ok();
}

flatbuffers::DetachedBuffer Structure::Finish() const {
  flatbuffers::FlatBufferBuilder builder;
  const auto values = builder.CreateVectorOfStructs(values_);
  const auto nodes = builder.CreateVectorOfStructs(nodes_);
  const auto attributes = builder.CreateVectorOfStructs(attributes_);
  const auto tensors = builder.CreateVectorOfStructs(tensors_);
  const auto sections = builder.CreateVectorOfStructs(sections_.rows);
  const auto inputs = builder.CreateVector(graph_.inputs);
  const auto outputs = builder.CreateVector(graph_.outputs);
  const auto ids = builder.CreateVector(ids_);
  const auto dims = builder.CreateVector(dims_);
  const auto ints = builder.CreateVector(ints_);
  const auto floats = builder.CreateVector(floats_);
  const auto string_bytes = builder.CreateVector(string_bytes_);
  const auto characters = builder.CreateVector(characters_);
  builder.Finish(CreateModel(builder, kOpset, INTMILL_PRODUCER, values, nodes, attributes, tensors,
                             sections, inputs, outputs, ids, dims, ints, floats, string_bytes,
                             characters, static_cast<uint32_t>(graph_.metadata.size())));
  return builder.Release();
}

// What was written so far, padded to alignments.
class Writer {
 public:
  explicit Writer(const Sink& sink) : sink_(sink) {}

  Status Write(std::span<const std::byte> bytes) {
    written_ += static_cast<int64_t>(bytes.size());
    return bytes.empty() ? Ok() : sink_(bytes);
  }
  Status Align() {
    static constexpr std::array<std::byte, kAlignment> kZeros = {};
    const int64_t past = written_ % kAlignment;
    return past == 0 ? Ok()
                     : Write(std::span(kZeros).first(static_cast<size_t>(kAlignment - past)));
  }

 private:
  const Sink& sink_;
  int64_t written_ = 0;
};

}  // namespace
}  // namespace format

Status WriteModel(const Graph& graph, const Sink& sink) {
  TRY(VerifyGraph(graph));
  ASSIGN_OR_RETURN(const format::SectionTable sections, format::CollectSections(graph));
  ASSIGN_OR_RETURN(const flatbuffers::DetachedBuffer buffer,
                   format::Structure(graph, sections).Build());
  const std::span<const std::byte> structure(reinterpret_cast<const std::byte*>(buffer.data()),
                                             buffer.size());
  format::Header header;
  header.version = kFormatVersion;
  header.structure_offset = format::kHeaderBytes;
  header.structure_bytes = structure.size();
  header.structure_hash = ChecksumOf(structure);
  int64_t weights = 0;
  const int64_t structure_end = format::kHeaderBytes + static_cast<int64_t>(structure.size());
  if (!AlignUpFits(structure_end, kAlignment, &weights))
    return Error(Code::kInternal, "the structure has ", structure.size(), " bytes");
  header.file_bytes =
      static_cast<uint64_t>(sections.rows.empty() ? structure_end : weights + sections.bytes);

  format::Writer writer(sink);
  TRY(writer.Write(format::EncodeHeader(header)));
  TRY(writer.Write(structure));
  for (const format::Section section : sections.sections) {
    TRY(writer.Align());
    TRY(writer.Write(section));
  }
  return Ok();
}

Status WriteModel(const Graph& graph, const std::string& path) {
  return WriteFileAtomically(path, [&](const Sink& sink) { return WriteModel(graph, sink); });
}

}  // namespace intmill
