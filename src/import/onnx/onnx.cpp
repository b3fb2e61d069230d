// Builds a graph from an ONNX file: names become values, each with one producer, and nodes find
// their operators.
#include "import/onnx/onnx.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "import/onnx/external.h"
#include "import/onnx/limits.h"
#include "import/onnx/model_proto.h"
#include "import/onnx/node_proto.h"
#include "import/onnx/tensor_proto.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace intmill {
namespace onnx {
namespace {

class Builder {
 public:
  Builder(const BlobPtr& file, const std::string& path)
      : external_(path), source_{file, &external_} {}

  Result<Graph> Build(const ModelProto& model);

 private:
  // The value of that name, made when it is first mentioned: nodes may come in any order.
  Result<ValueId> Mention(std::string_view name);
  // Says what gives the value its content; two givers are an error.
  Status Define(ValueId id);

  Status AddInitializer(std::string_view message);
  Status AddInput(std::string_view message);
  Status AddValueInfo(std::string_view message);
  Status AddOutput(std::string_view message);
  Status AddNode(std::string_view message, int64_t index);
  Status AddConstantNode(const NodeProto& proto, const Attributes& attributes);
  Status Connect(const NodeProto& proto, Node& node);

  Status CheckAllKnown() const;
  Status CheckAllDefined() const;
  void NameNodes();
  void FoldIdentities();
  Status Upgrade();

  Graph graph_;
  ExternalFiles external_;
  Source source_;
  // Keys lie in the file. Ordered, because names made to collide in a hash would cost minutes.
  std::map<std::string_view, ValueId> ids_;
  std::vector<bool> is_defined_;
  std::set<ValueId> outputs_;
  std::set<std::string> unknown_ops_;
  int64_t opset_ = 0;  // of ai.onnx; 0: not imported
};

// What a node is called in messages until NameNodes has run: the name it gets when it has none.
std::string NodeName(const NodeProto& proto, int64_t index) {
  return proto.name.empty() ? Cat(proto.op_type, "_", index) : std::string(proto.name);
}

Result<ValueId> Builder::Mention(std::string_view name) {
  if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
  if (static_cast<int64_t>(graph_.values.size()) == kMaxValues)
    return Error(Code::kBadFormat, "more than ", kMaxValues, " tensors");
  const ValueId id = graph_.AddValue(name);
  ids_.emplace(name, id);
  is_defined_.push_back(false);
  return id;
}

Status Builder::Define(ValueId id) {
  if (is_defined_[static_cast<size_t>(id)])
    return Error(Code::kBadFormat, "'", graph_.value(id).name, "' is defined twice");
  is_defined_[static_cast<size_t>(id)] = true;
  return Ok();
}

Status Builder::AddInitializer(std::string_view message) {
  ASSIGN_OR_RETURN(const std::string_view name, ReadTensorName(message).At("initializer"));
  if (name.empty()) return Error(Code::kBadFormat, "an initializer has no name");
  const std::string place = Cat("initializer '", name, "'");
  ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(message, source_).At(place));
  ASSIGN_OR_RETURN(const ValueId id, Mention(name));
  TRY(Define(id).At("initializer"));
  Value& value = graph_.value(id);
  value.dtype = tensor.dtype();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
  return Ok();
}

// An input that has an initializer is a constant with a declaration.
Status Builder::AddInput(std::string_view message) {
  ASSIGN_OR_RETURN(ValueInfo info, ReadValueInfo(message, "input"));
  if (info.name.empty()) return Error(Code::kBadFormat, "an input has no name");
  ASSIGN_OR_RETURN(const ValueId id, Mention(info.name));
  if (graph_.ConstantOf(id) != nullptr) return Ok();
  const std::string place = Cat("input '", info.name, "'");
  TRY(Define(id).At("input"));
  if (info.kind == nullptr) return Error(Code::kBadFormat, place, " has no type");
  if (std::string_view(info.kind) != "tensor")
    return Error(Code::kUnsupported, place, " is of type ", info.kind, ", which is not supported");
  ASSIGN_OR_RETURN(const DType dtype, DTypeOf(info.onnx_type).At(place));
  Value& value = graph_.value(id);
  value.dtype = dtype;
  if (info.shape) {
    Shape smallest = *info.shape;
    std::replace(smallest.begin(), smallest.end(), kDynamic, int64_t{1});
    TRY(CheckFileShape(smallest, dtype).At(place));
  }
  value.shape = std::move(info.shape);
  value.dim_names = std::move(info.dim_names);
  graph_.inputs.push_back(id);
  return Ok();
}

// Only element types are taken over: shapes are inferred anew, whatever the file claims. A type
// that is not supported shows up where an operator meets it.
Status Builder::AddValueInfo(std::string_view message) {
  ASSIGN_OR_RETURN(const ValueInfo info, ReadValueInfo(message, "value_info"));
  const auto found = ids_.find(info.name);
  if (found == ids_.end()) return Ok();
  Value& value = graph_.value(found->second);
  const Result<DType> dtype = DTypeOf(info.onnx_type);
  if (value.dtype == DType::kNone && dtype.ok()) value.dtype = *dtype;
  return Ok();
}

Status Builder::AddOutput(std::string_view message) {
  ASSIGN_OR_RETURN(const ValueInfo info, ReadValueInfo(message, "output"));
  const auto found = ids_.find(info.name);
  if (found == ids_.end() || !is_defined_[static_cast<size_t>(found->second)])
    return Error(Code::kBadFormat, "output '", info.name, "' is not computed by any node");
  if (!outputs_.insert(found->second).second)
    return Error(Code::kBadFormat, "output '", info.name, "' is listed twice");
  graph_.outputs.push_back(found->second);
  return Ok();
}

Status Builder::AddConstantNode(const NodeProto& proto, const Attributes& attributes) {
  if (!proto.inputs.empty() || proto.outputs.size() != 1 || proto.outputs[0].empty())
    return Error(Code::kBadFormat, "wanted no inputs and one output");
  ASSIGN_OR_RETURN(Tensor tensor, ConstantValue(attributes));
  ASSIGN_OR_RETURN(const ValueId id, Mention(proto.outputs[0]));
  TRY(Define(id));
  Value& value = graph_.value(id);
  value.dtype = tensor.dtype();
  value.shape = tensor.shape();
  value.constant = std::move(tensor);
  return Ok();
}

Status Builder::Connect(const NodeProto& proto, Node& node) {
  for (const std::string_view name : proto.inputs) {
    ValueId id = kNoValue;
    if (!name.empty()) {
      ASSIGN_OR_RETURN(id, Mention(name));
    }
    node.inputs.push_back(id);
  }
  for (const std::string_view name : proto.outputs) {
    ValueId id = kNoValue;
    if (!name.empty()) {
      ASSIGN_OR_RETURN(id, Mention(name));
      TRY(Define(id));
    }
    node.outputs.push_back(id);
  }
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
  while (!node.outputs.empty() && node.outputs.back() == kNoValue) node.outputs.pop_back();
  return Ok();
}

Status Builder::AddNode(std::string_view message, int64_t index) {
  ASSIGN_OR_RETURN(const NodeProto proto, ReadNode(message).At(Cat("node ", index)));
  const std::string place = Cat("node '", NodeName(proto, index), "' (", proto.op_type, ")");
  if (proto.domain.empty() && opset_ == 0)
    return Error(Code::kBadFormat, place, ": the file imports no opset of ai.onnx");
  const bool is_constant = proto.domain.empty() && proto.op_type == "Constant";
  const OpDef* const op = FindOp(proto.op_type, proto.domain);
  if (op == nullptr && !is_constant) {
    unknown_ops_.insert(proto.domain.empty() ? std::string(proto.op_type)
                                             : Cat(proto.domain, ".", proto.op_type));
    return Ok();
  }
  ASSIGN_OR_RETURN(Attributes attributes, ReadAttributes(proto.attributes, source_).At(place));
  if (is_constant) return AddConstantNode(proto, attributes).At(place);
  Node node;
  node.name = std::string(proto.name);
  node.op = op;
  node.attrs = std::move(attributes);
  TRY(Connect(proto, node).At(place));
  graph_.nodes.push_back(std::move(node));
  return Ok();
}

Status Builder::CheckAllKnown() const {
  if (unknown_ops_.empty()) return Ok();
  constexpr int64_t kShown = 40;
  std::string list;
  int64_t shown = 0;
  for (const std::string& op : unknown_ops_) {
    if (++shown > kShown) break;
    list += (list.empty() ? "" : ", ") + op;
  }
  if (static_cast<int64_t>(unknown_ops_.size()) > kShown)
    list += Cat(" and ", unknown_ops_.size() - kShown, " more");
  return Error(Code::kUnsupported, "operators that are not supported: ", list);
}

Status Builder::CheckAllDefined() const {
  for (const Node& node : graph_.nodes) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == kNoValue || is_defined_[static_cast<size_t>(id)]) continue;
      return Error(Code::kBadFormat, Place(node), ": input ", i, " '", graph_.value(id).name,
                   "' is not computed by any node");
    }
  }
  return Ok();
}

// Names from the file come first, so that an invented one never takes theirs.
void Builder::NameNodes() {
  std::set<std::string, std::less<>> taken;
  std::vector<bool> keeps_name;
  for (const Node& node : graph_.nodes)
    keeps_name.push_back(!node.name.empty() && taken.insert(node.name).second);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    Node& node = graph_.nodes[i];
    if (keeps_name[i]) continue;
    std::string name = Cat(node.name.empty() ? node.op->name : node.name, "_", i);
    while (!taken.insert(name).second) name += "_";
    node.name = std::move(name);
  }
}

// Exporters share one tensor between layers through Identity: its output becomes the same constant.
// Nodes are in topological order, so chains go in one sweep.
void Builder::FoldIdentities() {
  std::erase_if(graph_.nodes, [&](const Node& node) {
    if (node.op->name != "Identity" || !node.op->domain.empty()) return false;
    if (node.inputs.size() != 1 || node.outputs.size() != 1) return false;
    const Tensor* const constant = graph_.ConstantOf(node.inputs[0]);
    if (constant == nullptr) return false;
    Value& value = graph_.value(node.outputs[0]);
    value.dtype = constant->dtype();
    value.shape = constant->shape();
    value.constant = *constant;
    return true;
  });
}

// By index: an upgrade may add constants.
Status Builder::Upgrade() {
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    Node& node = graph_.nodes[i];
    if (node.op->upgrade == nullptr) continue;
    TRY(node.op->upgrade(graph_, node, opset_).At(Place(node)));
  }
  return Ok();
}

Result<Graph> Builder::Build(const ModelProto& model) {
  const auto opset = model.opsets.find("");
  opset_ = opset == model.opsets.end() ? 0 : opset->second;
  ASSIGN_OR_RETURN(const GraphProto graph, ReadGraphProto(model.graph));
  for (const std::string_view message : graph.initializers) TRY(AddInitializer(message));
  for (const std::string_view message : graph.inputs) TRY(AddInput(message));
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    TRY(AddNode(graph.nodes[i], static_cast<int64_t>(i)));
  TRY(CheckAllKnown());
  NameNodes();
  TRY(CheckAllDefined());
  for (const std::string_view message : graph.outputs) TRY(AddOutput(message));
  if (graph_.outputs.empty()) return Error(Code::kBadFormat, "the graph has no outputs");
  for (const std::string_view message : graph.value_infos) TRY(AddValueInfo(message));
  for (const std::string_view message : graph.outputs) TRY(AddValueInfo(message));
  TRY(SortTopologically(graph_));
  FoldIdentities();
  TRY(Upgrade());
  TRY(VerifyGraph(graph_));
  graph_.metadata.insert(model.metadata.begin(), model.metadata.end());
  if (!model.producer_name.empty()) {
    graph_.metadata["source.producer"] =
        Cat(model.producer_name, model.producer_version.empty() ? "" : " ", model.producer_version);
  }
  graph_.metadata["source.opset"] = std::to_string(opset_);
  graph_.metadata["source.nodes"] = std::to_string(graph.nodes.size());
  return std::move(graph_);
}

}  // namespace
}  // namespace onnx

Result<Graph> ReadOnnx(const BlobPtr& file, const std::string& path) {
  const std::span<const std::byte> bytes = file->bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ASSIGN_OR_RETURN(const onnx::ModelProto model, onnx::ReadModelProto(text));
  return onnx::Builder(file, path).Build(model);
}

}  // namespace intmill
