// Writes ONNX's messages. Repeated numbers are not packed, as onnx.proto declares them.
#include "export/messages.h"

#include <vector>

#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

#include "ir/op.h"

namespace intmill::onnx {
namespace {

using protozero::pbf_writer;

// ONNX's number of an element type; 0: undefined.
int32_t OnnxTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kNone:
      return 0;
    case DType::kF32:
      return 1;
    case DType::kU8:
      return 2;
    case DType::kS8:
      return 3;
    case DType::kS16:
      return 5;
    case DType::kS32:
      return 6;
    case DType::kS64:
      return 7;
    case DType::kBool:
      return 9;
    case DType::kF16:
      return 10;
    case DType::kBf16:
      return 16;
    case DType::kU4:
      return 21;
    case DType::kS4:
      return 22;
  }
  return 0;
}

std::string_view BytesOf(const Tensor& tensor) {
  return {tensor.data<char>(), static_cast<size_t>(tensor.bytes())};
}

// Writes the value of an AttributeProto, and ONNX's number of its type.
struct AttributeValue {
  pbf_writer& out;
  void operator()(float x) const {
    out.add_float(2, x);
    SetType(1);
  }
  void operator()(int64_t x) const {
    out.add_int64(3, x);
    SetType(2);
  }
  void operator()(const std::string& x) const {
    out.add_bytes(4, x);
    SetType(3);
  }
  void operator()(const Tensor& x) const {
    std::string message = TensorHead({}, x);
    message += BytesOf(x);
    out.add_message(5, message);
    SetType(4);
  }
  void operator()(const std::vector<float>& list) const {
    for (const float x : list) out.add_float(7, x);
    SetType(6);
  }
  void operator()(const std::vector<int64_t>& list) const {
    for (const int64_t x : list) out.add_int64(8, x);
    SetType(7);
  }
  void operator()(const std::vector<std::string>& list) const {
    for (const std::string& x : list) out.add_bytes(9, x);
    SetType(8);
  }
  void SetType(int32_t type) const { out.add_enum(20, type); }
};

Status AddAttribute(const std::string& name, const Attribute& attribute, pbf_writer& node) {
  if (const auto* tensor = std::get_if<Tensor>(&attribute))
    TRY(CheckMessageBytes(tensor->bytes()).At(Cat("attribute '", name, "'")));
  pbf_writer out(node, 5);
  out.add_string(1, name);
  std::visit(AttributeValue{out}, attribute);
  return Ok();
}

void AddNames(const Graph& graph, const std::vector<ValueId>& ids, uint32_t field,
              pbf_writer& node) {
  size_t count = ids.size();
  while (count > 0 && ids[count - 1] == kNoValue) --count;
  for (size_t i = 0; i < count; ++i)
    node.add_string(field, ids[i] == kNoValue ? std::string() : graph.value(ids[i]).name);
}

// A size that is not known is a dimension without a size, which has a name or nothing at all.
std::string DimMessage(const Value& value, size_t i) {
  const int64_t size = (*value.shape)[i];
  std::string message;
  pbf_writer out(message);
  if (size != kDynamic) {
    out.add_int64(1, size);
  } else if (i < value.dim_names.size() && !value.dim_names[i].empty()) {
    out.add_string(2, value.dim_names[i]);
  }
  return message;
}

// Made before it is added, as a nested pbf_writer leaves a message out that is empty: here that is
// a dimension nothing is known of, or the shape of a scalar.
std::string ShapeMessage(const Value& value) {
  std::string message;
  pbf_writer out(message);
  for (size_t i = 0; i < value.shape->size(); ++i) out.add_message(1, DimMessage(value, i));
  return message;
}

}  // namespace

Status CheckMessageBytes(int64_t bytes) {
  if (bytes <= kMaxMessageBytes) return Ok();
  return Error(Code::kUnsupported, bytes, " bytes, an ONNX file without external data holds ",
               kMaxMessageBytes, ", and external data is not written");
}

std::string FieldHead(uint32_t field, int64_t bytes) {
  constexpr auto kType = static_cast<uint32_t>(protozero::pbf_wire_type::length_delimited);
  std::string head;
  protozero::add_varint_to_buffer(&head, field << 3 | kType);
  protozero::add_varint_to_buffer(&head, static_cast<uint64_t>(bytes));
  return head;
}

std::string TensorHead(std::string_view name, const Tensor& tensor) {
  std::string head;
  pbf_writer out(head);
  for (const int64_t dim : tensor.shape()) out.add_int64(1, dim);
  out.add_enum(2, OnnxTypeOf(tensor.dtype()));
  if (!name.empty()) out.add_string(8, std::string(name));
  return head + FieldHead(9, tensor.bytes());
}

Result<std::string> NodeMessage(const Graph& graph, const Node& node) {
  std::string message;
  pbf_writer out(message);
  AddNames(graph, node.inputs, 1, out);
  AddNames(graph, node.outputs, 2, out);
  out.add_string(3, node.name);
  out.add_string(4, std::string(node.op->name));
  for (const auto& [name, attribute] : node.attrs.all())
    // Notes of passes to each other, which no ONNX operator has.
    if (!name.starts_with("intmill.")) TRY(AddAttribute(name, attribute, out));
  return message;
}

Result<std::string> ValueMessage(const Value& value) {
  const int32_t type = OnnxTypeOf(value.dtype);
  if (type == 0)
    return Error(Code::kUnsupported, "'", value.name, "' has an element type that is not known");
  std::string message;
  pbf_writer out(message);
  out.add_string(1, value.name);
  {
    pbf_writer any_type(out, 2);
    pbf_writer tensor_type(any_type, 1);
    tensor_type.add_enum(1, type);
    if (value.shape) tensor_type.add_message(2, ShapeMessage(value));
  }
  return message;
}

std::string OpsetMessage(int64_t opset) {
  std::string message;
  pbf_writer out(message);
  out.add_string(1, "");
  out.add_int64(2, opset);
  return message;
}

std::string EntryMessage(std::string_view key, std::string_view value) {
  std::string message;
  pbf_writer out(message);
  out.add_string(1, std::string(key));
  out.add_string(2, std::string(value));
  return message;
}

}  // namespace intmill::onnx
