// Reads an .im file: nothing in it is believed before it was checked.
#include "format/read.h"

#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "base/checksum.h"
#include "base/mapping.h"
#include "base/memory.h"
#include "format/attribute_kind.h"
#include "format/format.h"
#include "format/header.h"
#include "format/limits.h"
#include "format/pools.h"
#include "format/sections.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ir/opset.h"

namespace intmill {
namespace format {
namespace {

// Turns the rows of a structure into a graph.
class Reader {
 public:
  Reader(const Model& model, const BlobPtr& file, std::vector<Section> sections)
      : model_(model), pools_(model), file_(file), sections_(std::move(sections)) {}

  Result<Graph> Read() {
    TRY(ReadValues());
    TRY(ReadNodes());
    TRY(ReadEnds());
    TRY(ReadMetadata());
    TRY(pools_.CheckEmpty());
    TRY(VerifyGraph(graph_));
    TRY(Upgrade());
    TRY(InferShapes(graph_));
    return std::move(graph_);
  }

 private:
  Result<Tensor> TensorAt(DType dtype, Shape shape, int32_t section) const;
  Result<Attribute> ReadAttribute(const AttributeRow& row);
  Result<Attribute> ReadTensorAttribute();
  Status ReadAttributes(int64_t count, Attributes& attributes);
  Status ReadValues();
  Status ReadValue(const ValueRow& row, Value& value);
  Status ReadNodes();
  Status ReadNode(const NodeRow& row);
  Status ReadEnds();
  Status ReadMetadata();
  Status Upgrade();

  const Model& model_;
  Pools pools_;
  const BlobPtr& file_;
  std::vector<Section> sections_;
  std::set<std::string> unknown_ops_;
  Graph graph_;
};

Result<DType> DTypeOfNumber(int32_t number) {
  const auto dtype = static_cast<DType>(number);
  if (dtype == DType::kNone || IsKnown(dtype)) return dtype;
  return Error(Code::kBadFormat, "element type ", number, " does not exist");
}

Result<Tensor> Reader::TensorAt(DType dtype, Shape shape, int32_t section) const {
  if (!IsKnown(dtype)) return Error(Code::kBadFormat, "a constant has no element type");
  TRY(CheckShape(shape, dtype));
  if (section < 0 || static_cast<size_t>(section) >= sections_.size()) {
    return Error(Code::kBadFormat, "section ", section, " of ", sections_.size(),
                 " does not exist");
  }
  const Section bytes = sections_[static_cast<size_t>(section)];
  const int64_t wanted = NumBytes(shape, dtype);
  if (static_cast<int64_t>(bytes.size()) != wanted) {
    return Error(Code::kBadFormat, "section ", section, " has ", bytes.size(), " bytes, ", wanted,
                 " wanted for ", DTypeName(dtype), ' ', ToString(shape));
  }
  const auto is_bool = [](std::byte b) { return b == std::byte{0} || b == std::byte{1}; };
  if (dtype == DType::kBool && !std::ranges::all_of(bytes, is_bool))
    return Error(Code::kBadFormat, "a bool is neither 0 nor 1");
  return Tensor::View(dtype, std::move(shape), bytes.data(), file_);
}

Result<Attribute> Reader::ReadTensorAttribute() {
  ASSIGN_OR_RETURN(const std::span<const TensorRow> row, pools_.tensors.Take(1));
  ASSIGN_OR_RETURN(const DType dtype, DTypeOfNumber(row[0].dtype()));
  ASSIGN_OR_RETURN(Shape shape, pools_.Dims(row[0].rank(), false));
  ASSIGN_OR_RETURN(Tensor tensor, TensorAt(dtype, std::move(shape), row[0].section()));
  return Attribute(std::move(tensor));
}

Result<Attribute> Reader::ReadAttribute(const AttributeRow& row) {
  const auto kind = static_cast<AttributeKind>(row.kind());
  const bool is_list = kind == AttributeKind::kInts || kind == AttributeKind::kFloats ||
                       kind == AttributeKind::kStrings;
  if (!is_list && row.count() != 1)
    return Error(Code::kBadFormat, row.count(), " values, one wanted");
  switch (kind) {
    case AttributeKind::kInt: {
      ASSIGN_OR_RETURN(const std::span<const int64_t> ints, pools_.ints.Take(1));
      return Attribute(ints[0]);
    }
    case AttributeKind::kFloat: {
      ASSIGN_OR_RETURN(const std::span<const float> floats, pools_.floats.Take(1));
      return Attribute(floats[0]);
    }
    case AttributeKind::kString: {
      ASSIGN_OR_RETURN(std::string text, pools_.String());
      return Attribute(std::move(text));
    }
    case AttributeKind::kInts: {
      ASSIGN_OR_RETURN(const std::span<const int64_t> ints, pools_.ints.Take(row.count()));
      return Attribute(std::vector<int64_t>(ints.begin(), ints.end()));
    }
    case AttributeKind::kFloats: {
      ASSIGN_OR_RETURN(const std::span<const float> floats, pools_.floats.Take(row.count()));
      return Attribute(std::vector<float>(floats.begin(), floats.end()));
    }
    case AttributeKind::kStrings: {
      ASSIGN_OR_RETURN(std::vector<std::string> strings, pools_.Strings(row.count()));
      return Attribute(std::move(strings));
    }
    case AttributeKind::kTensor:
      return ReadTensorAttribute();
  }
  return Error(Code::kBadFormat, "attributes of kind ", row.kind(), " do not exist");
}

Status Reader::ReadAttributes(int64_t count, Attributes& attributes) {
  if (count > kMaxAttributes)
    return Error(Code::kBadFormat, count, " attributes, at most ", kMaxAttributes, " wanted");
  ASSIGN_OR_RETURN(const std::span<const AttributeRow> rows, pools_.attributes.Take(count));
  std::string last;
  for (const AttributeRow& row : rows) {
    ASSIGN_OR_RETURN(std::string name, pools_.Name(false));
    if (name <= last) return Error(Code::kBadFormat, "attribute '", name, "' follows '", last, "'");
    ASSIGN_OR_RETURN(Attribute attribute, ReadAttribute(row).At(Cat("attribute '", name, "'")));
    attributes.Set(name, std::move(attribute));
    last = std::move(name);
  }
  return Ok();
}

Status Reader::ReadValue(const ValueRow& row, Value& value) {
  ASSIGN_OR_RETURN(value.dtype, DTypeOfNumber(row.dtype()));
  if (row.rank() != -1) {
    ASSIGN_OR_RETURN(value.shape, pools_.Dims(row.rank(), row.section() == -1));
    Shape smallest = *value.shape;
    std::ranges::replace(smallest, kDynamic, 1);
    TRY(CheckShape(smallest, IsKnown(value.dtype) ? value.dtype : DType::kU8));
  }
  if (row.dim_names() != 0) {
    if (static_cast<int64_t>(row.dim_names()) != row.rank()) {
      return Error(Code::kBadFormat, row.dim_names(), " names for ", row.rank(), " dimensions");
    }
    for (int32_t i = 0; i < row.rank(); ++i) {
      ASSIGN_OR_RETURN(std::string name, pools_.Name(true));
      value.dim_names.push_back(std::move(name));
    }
  }
  if (row.section() == -1) return Ok();
  if (!value.shape) return Error(Code::kBadFormat, "a constant has no shape");
  ASSIGN_OR_RETURN(value.constant, TensorAt(value.dtype, *value.shape, row.section()));
  return Ok();
}

Status Reader::ReadValues() {
  ASSIGN_OR_RETURN(const std::span<const ValueRow> rows,
                   Pool<ValueRow>("values", model_.values()).TakeAll());
  if (static_cast<int64_t>(rows.size()) > kMaxTensors)
    return Error(Code::kBadFormat, rows.size(), " values, at most ", kMaxTensors, " wanted");
  for (const ValueRow& row : rows) {
    Value value;
    ASSIGN_OR_RETURN(value.name, pools_.Name(false));
    TRY(ReadValue(row, value).At(Cat("value '", value.name, "'")));
    graph_.values.push_back(std::move(value));
  }
  return Ok();
}

Status Reader::ReadNode(const NodeRow& row) {
  Node node;
  ASSIGN_OR_RETURN(node.name, pools_.Name(false));
  ASSIGN_OR_RETURN(const std::string op, pools_.Name(false));
  ASSIGN_OR_RETURN(const std::string domain, pools_.Name(true));
  TRY(ReadAttributes(row.attributes(), node.attrs).At(Cat("node '", node.name, "'")));
  ASSIGN_OR_RETURN(const std::span<const int32_t> inputs, pools_.ids.Take(row.inputs()));
  node.inputs.assign(inputs.begin(), inputs.end());
  ASSIGN_OR_RETURN(const std::span<const int32_t> outputs, pools_.ids.Take(row.outputs()));
  node.outputs.assign(outputs.begin(), outputs.end());
  for (const ValueId id : node.inputs)
    if (id < kNoValue)
      return Error(Code::kBadFormat, "node '", node.name, "': value ", id, " does not exist");
  node.op = FindOp(op, domain);
  if (node.op == nullptr) unknown_ops_.insert(domain.empty() ? op : Cat(domain, ".", op));
  graph_.nodes.push_back(std::move(node));
  return Ok();
}

Status Reader::ReadNodes() {
  ASSIGN_OR_RETURN(const std::span<const NodeRow> rows,
                   Pool<NodeRow>("nodes", model_.nodes()).TakeAll());
  if (static_cast<int64_t>(rows.size()) > kMaxNodes)
    return Error(Code::kBadFormat, rows.size(), " nodes, at most ", kMaxNodes, " wanted");
  for (const NodeRow& row : rows) TRY(ReadNode(row));
  if (unknown_ops_.empty()) return Ok();
  std::string list;
  for (const std::string& op : unknown_ops_) {
    if (list.size() > 512) break;  // the message stays one readable line
    list += (list.empty() ? "" : ", ") + op;
  }
  return Error(Code::kUnsupported, "operators that are not supported: ", list);
}

Status Reader::ReadEnds() {
  ASSIGN_OR_RETURN(const std::span<const int32_t> inputs,
                   Pool<int32_t>("inputs", model_.inputs()).TakeAll());
  ASSIGN_OR_RETURN(const std::span<const int32_t> outputs,
                   Pool<int32_t>("outputs", model_.outputs()).TakeAll());
  graph_.inputs.assign(inputs.begin(), inputs.end());
  graph_.outputs.assign(outputs.begin(), outputs.end());
  if (outputs.empty()) return Error(Code::kBadFormat, "the graph has no outputs");
  std::vector<ValueId> sorted = graph_.outputs;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    return Error(Code::kBadFormat, "an output is listed twice");
  for (const ValueId id : graph_.inputs) {
    if (id < 0 || static_cast<size_t>(id) >= graph_.values.size())
      return Error(Code::kBadFormat, "graph input: value ", id, " does not exist");
    const Value& value = graph_.value(id);
    if (!IsKnown(value.dtype))
      return Error(Code::kBadFormat, "input '", value.name, "' has no element type");
  }
  return Ok();
}

Status Reader::ReadMetadata() {
  for (uint32_t i = 0; i < model_.metadata(); ++i) {
    ASSIGN_OR_RETURN(std::string key, pools_.String());
    ASSIGN_OR_RETURN(std::string text, pools_.String());
    if (!graph_.metadata.empty() && key <= graph_.metadata.rbegin()->first)
      return Error(Code::kBadFormat, "the keys of the metadata do not ascend");
    graph_.metadata.emplace(std::move(key), std::move(text));
  }
  return Ok();
}

// By index: an upgrade may add constants.
Status Reader::Upgrade() {
  const auto opset = static_cast<int64_t>(model_.opset());
  if (opset > kOpset) {
    return Error(Code::kBadVersion, "the operators have the form of opset ", opset,
                 ", this release of intmill reads up to ", kOpset);
  }
  if (opset == kOpset) return Ok();
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    Node& node = graph_.nodes[i];
    if (node.op->upgrade != nullptr) TRY(node.op->upgrade(graph_, node, opset).At(Place(node)));
  }
  return VerifyGraph(graph_);
}

// What is left to check of a file's sections: those whose values are in `unread`.
class Unchecked {
 public:
  Unchecked(BlobPtr file, std::vector<Section> sections, std::span<const SectionRow> rows,
            std::span<const ValueRow> values, std::span<const TensorRow> tensors,
            std::span<const ValueId> unread)
      : file_(std::move(file)), sections_(std::move(sections)), is_left_(sections_.size()) {
    for (const SectionRow& row : rows) hashes_.push_back(row.hash());
    const auto mark = [&](int32_t section, bool left) {
      if (section >= 0 && static_cast<size_t>(section) < is_left_.size())
        is_left_[static_cast<size_t>(section)] = left;
    };
    for (const ValueId id : unread)
      if (id >= 0 && static_cast<size_t>(id) < values.size())
        mark(values[static_cast<size_t>(id)].section(), true);
    // Equal constants share a section, which is read when one of them is.
    for (size_t i = 0; i < values.size(); ++i)
      if (!std::ranges::binary_search(unread, static_cast<ValueId>(i)))
        mark(values[i].section(), false);
    for (const TensorRow& tensor : tensors) mark(tensor.section(), false);
  }

  Status CheckOthers() const { return Check(false); }
  // Once; thread-safe.
  Status CheckLeft() {
    std::call_once(once_, [&] { status_ = Check(true); });
    return status_;
  }

 private:
  Status Check(bool left) const {
    constexpr size_t kWorthIt = size_t{1} << 18;
    for (size_t i = 0; i < sections_.size(); ++i) {
      if (is_left_[i] != left) continue;
      TRY(CheckSection(i, sections_[i], hashes_[i]));
      // Whoever packs the weights brings them back; what was only looked at should not fill memory.
      if (sections_[i].size() >= kWorthIt) ForgetPages(sections_[i]);
    }
    return Ok();
  }

  BlobPtr file_;
  std::vector<Section> sections_;
  std::vector<uint64_t> hashes_;
  std::vector<bool> is_left_;
  std::once_flag once_;
  Status status_;
};

}  // namespace
}  // namespace format

bool LooksLikeIntmill(std::span<const std::byte> bytes) { return format::HasMagic(bytes); }

Result<Graph> ReadModel(BlobPtr file) {
  ASSIGN_OR_RETURN(format::PartlyRead read, format::ReadPartly(std::move(file), {}));
  return std::move(read.graph);
}

namespace format {

Result<BlobPtr> Aligned(BlobPtr file) {
  const std::span<const std::byte> bytes = file->bytes();
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kAlignment == 0) return file;
  ASSIGN_OR_RETURN(AlignedBytes memory, AllocateAligned(static_cast<int64_t>(bytes.size())));
  std::ranges::copy(bytes, memory.get());
  const std::span<const std::byte> copy(memory.get(), bytes.size());
  auto owner = std::make_shared<AlignedBytes>(std::move(memory));
  return BlobPtr(std::make_shared<const Blob>(copy, [owner] { owner->reset(); }));
}

Result<AlignedBytes> CopyStructure(std::span<const std::byte> mapped, uint64_t hash) {
  ASSIGN_OR_RETURN(AlignedBytes copy, AllocateAligned(static_cast<int64_t>(mapped.size())));
  std::ranges::copy(mapped, copy.get());
  if (mapped.size() < 8 || ChecksumOf({copy.get(), mapped.size()}) != hash)
    return Error(Code::kBadFormat, "the structure is damaged: its checksum differs");
  return copy;
}

Result<PartlyRead> ReadPartly(BlobPtr file, std::span<const ValueId> unread) {
  ASSIGN_OR_RETURN(const Header header, DecodeHeader(file->bytes()));
  ASSIGN_OR_RETURN(file, Aligned(std::move(file)));

  // On the heap, as mapped bytes can change after they were verified.
  ASSIGN_OR_RETURN(
      const AlignedBytes structure,
      CopyStructure(file->bytes().subspan(header.structure_offset, header.structure_bytes),
                    header.structure_hash));
  const auto* const data = reinterpret_cast<const uint8_t*>(structure.get());
  flatbuffers::Verifier verifier(data, header.structure_bytes, /*max_depth=*/8, /*max_tables=*/8);
  if (!VerifyModelBuffer(verifier))
    return Error(Code::kBadFormat, "the structure is not a valid FlatBuffer");
  const Model& model = *GetModel(data);

  const auto structure_end = static_cast<int64_t>(header.structure_offset + header.structure_bytes);
  ASSIGN_OR_RETURN(const std::span<const SectionRow> rows,
                   Pool<SectionRow>("sections", model.sections()).TakeAll());
  ASSIGN_OR_RETURN(std::vector<Section> sections,
                   PlaceSections(rows, file->bytes(), structure_end));
  ASSIGN_OR_RETURN(const std::span<const ValueRow> values,
                   Pool<ValueRow>("values", model.values()).TakeAll());
  ASSIGN_OR_RETURN(const std::span<const TensorRow> tensors,
                   Pool<TensorRow>("tensors", model.tensors()).TakeAll());
  const auto unchecked = std::make_shared<Unchecked>(file, sections, rows, values, tensors, unread);
  TRY(unchecked->CheckOthers());
  ASSIGN_OR_RETURN(Graph graph, Reader(model, file, std::move(sections)).Read());
  return PartlyRead{std::move(graph), [unchecked] { return unchecked->CheckLeft(); }};
}

}  // namespace format
}  // namespace intmill
