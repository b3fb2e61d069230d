// Reads a node and its attributes; graphs inside attributes (If, Loop) are refused, not entered.
#include "import/onnx/node_proto.h"

#include <string>
#include <utility>

#include "import/onnx/limits.h"
#include "import/onnx/wire.h"

namespace intmill::onnx {
namespace {

// ONNX's numbers of attribute types.
enum AttributeType : int64_t {
  kUndefined = 0,
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kGraph = 5,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kTensors = 9,
  kGraphs = 10,
};

struct AttributeProto {
  std::string_view name;
  int64_t type = kUndefined;
  int64_t found = kUndefined;  // the type whose field is present
  float f = 0;
  int64_t i = 0;
  std::string_view s;
  std::string_view t;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  bool has_reference = false;
};

const char* TypeName(int64_t type) {
  constexpr const char* kNames[] = {"undefined",      "float",   "int",    "string",
                                    "tensor",         "graph",   "floats", "ints",
                                    "strings",        "tensors", "graphs", "sparse tensor",
                                    "sparse tensors", "type",    "types"};
  return type >= 0 && type < static_cast<int64_t>(std::size(kNames)) ? kNames[type] : "unknown";
}

// The type that a field of AttributeProto belongs to, or kUndefined.
int64_t TypeOfField(uint32_t tag) {
  switch (tag) {
    case 2:
      return kFloat;
    case 3:
      return kInt;
    case 4:
      return kString;
    case 5:
      return kTensor;
    case 6:
      return kGraph;
    case 7:
      return kFloats;
    case 8:
      return kInts;
    case 9:
      return kStrings;
    case 10:
      return kTensors;
    case 11:
      return kGraphs;
    case 14:
      return 13;
    case 15:
      return 14;
    case 22:
      return 11;
    case 23:
      return 12;
    default:
      return kUndefined;
  }
}

Result<AttributeProto> ParseAttribute(std::string_view message) {
  AttributeProto a;
  Fields fields(message, "attribute");
  while (fields.Next()) {
    if (const int64_t type = TypeOfField(fields.tag()); type != kUndefined) {
      if (a.found != kUndefined && a.found != type) {
        return Error(Code::kBadFormat, "attribute '", a.name, "': holds both ", TypeName(a.found),
                     " and ", TypeName(type));
      }
      a.found = type;
    }
    switch (fields.tag()) {
      case 1:
        a.name = fields.Name();
        break;
      case 2:
        a.f = fields.Float();
        break;
      case 3:
        a.i = fields.Int();
        break;
      case 4:
        a.s = fields.Bytes();
        break;
      case 5:
        a.t = fields.Bytes();
        break;
      case 7:
        fields.AppendFloats(a.floats);
        break;
      case 8:
        fields.AppendInts(a.ints);
        break;
      case 9:
        a.strings.emplace_back(fields.Bytes());
        break;
      case 20:
        a.type = fields.Int();
        break;
      case 21:
        a.has_reference = !fields.Bytes().empty();
        break;
      default:
        break;
    }
  }
  TRY(fields.status());
  return a;
}

Result<Attribute> ToAttribute(AttributeProto a, const Source& source) {
  if (a.has_reference)
    return Error(Code::kBadFormat, "refers to a function's attribute outside of any function");
  // Old files leave the type out; proto3 writers leave zeros and empty lists out.
  const int64_t type = a.type == kUndefined ? a.found : a.type;
  if (a.found != kUndefined && a.found != type)
    return Error(Code::kBadFormat, "type is ", TypeName(type), ", data is ", TypeName(a.found));
  switch (type) {
    case kUndefined:
      return Error(Code::kBadFormat, "has no value");
    case kFloat:
      return Attribute(a.f);
    case kInt:
      return Attribute(a.i);
    case kString:
      return Attribute(std::string(a.s));
    case kFloats:
      return Attribute(std::move(a.floats));
    case kInts:
      return Attribute(std::move(a.ints));
    case kStrings:
      return Attribute(std::move(a.strings));
    case kTensor: {
      if (a.found != kTensor) return Error(Code::kBadFormat, "has no tensor");
      ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(a.t, source));
      return Attribute(std::move(tensor));
    }
    default:
      return Error(Code::kUnsupported, "holds a value of type ", TypeName(type),
                   ", which is not supported");
  }
}

}  // namespace

Result<NodeProto> ReadNode(std::string_view message) {
  NodeProto node;
  Fields fields(message, nullptr);
  while (fields.Next()) {
    switch (fields.tag()) {
      case 1:
        node.inputs.push_back(fields.Name());
        break;
      case 2:
        node.outputs.push_back(fields.Name());
        break;
      case 3:
        node.name = fields.Name();
        break;
      case 4:
        node.op_type = fields.Name();
        break;
      case 5:
        node.attributes.push_back(fields.Bytes());
        break;
      case 7:
        node.domain = fields.Name();
        break;
      default:
        break;
    }
  }
  TRY(fields.status());
  if (node.op_type.empty()) return Error(Code::kBadFormat, "has no operator type");
  if (node.domain == "ai.onnx") node.domain = {};
  return node;
}

Result<Attributes> ReadAttributes(const std::vector<std::string_view>& messages,
                                  const Source& source) {
  if (static_cast<int64_t>(messages.size()) > kMaxAttributes) {
    return Error(Code::kBadFormat, messages.size(), " attributes, at most ", kMaxAttributes,
                 " wanted");
  }
  Attributes attributes;
  for (const std::string_view message : messages) {
    ASSIGN_OR_RETURN(AttributeProto proto, ParseAttribute(message));
    std::string name(proto.name);
    if (name.empty()) return Error(Code::kBadFormat, "an attribute has no name");
    const std::string place = Cat("attribute '", name, "'");
    if (attributes.Has(name)) return Error(Code::kBadFormat, place, " is there twice");
    ASSIGN_OR_RETURN(Attribute value, ToAttribute(std::move(proto), source).At(place));
    attributes.Set(std::move(name), std::move(value));
  }
  return attributes;
}

Result<Tensor> ConstantValue(const Attributes& attributes) {
  if (attributes.all().size() != 1)
    return Error(Code::kBadFormat, attributes.all().size(), " attributes, wanted one value");
  const auto& [name, value] = *attributes.all().begin();
  if (name == "value" && std::holds_alternative<Tensor>(value)) return std::get<Tensor>(value);
  if (name == "value_float" && std::holds_alternative<float>(value))
    return Tensor::Scalar(std::get<float>(value));
  if (name == "value_int" && std::holds_alternative<int64_t>(value))
    return Tensor::Scalar(std::get<int64_t>(value));
  if (name == "value_floats" && std::holds_alternative<std::vector<float>>(value))
    return Tensor::Of(std::get<std::vector<float>>(value));
  if (name == "value_ints" && std::holds_alternative<std::vector<int64_t>>(value))
    return Tensor::Of(std::get<std::vector<int64_t>>(value));
  return Error(Code::kUnsupported, "attribute '", name, "' is not supported");
}

}  // namespace intmill::onnx
