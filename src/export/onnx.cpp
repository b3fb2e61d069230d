// Writes an ONNX file: the same bytes for the same graph.
#include "export/onnx.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "base/checked.h"
#include "export/messages.h"
#include "export/standard_form.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ir/opset.h"

namespace intmill {
namespace onnx {
namespace {

// The files use nothing of newer versions but 4-bit types, and old tools refuse what they do not
// know by this number, whatever the file holds.
constexpr int64_t kIrVersion = 8;
constexpr int64_t kIrVersionOf4Bits = 10;

bool Has4Bits(const Graph& graph) {
  return std::ranges::any_of(graph.values, [](const Value& value) {
    return value.dtype == DType::kS4 || value.dtype == DType::kU4;
  });
}

// A part of the file: text made for it, and behind that a constant's memory, which is not copied.
struct Piece {
  std::string text;
  std::span<const std::byte> memory;

  int64_t bytes() const { return static_cast<int64_t>(text.size() + memory.size()); }
};

Piece Initializer(const Value& value) {
  const Tensor& tensor = *value.constant;
  const std::string head = TensorHead(value.name, tensor);
  const auto size = static_cast<size_t>(tensor.bytes());
  return {FieldHead(5, static_cast<int64_t>(head.size() + size)) + head,
          {tensor.data<std::byte>(), size}};
}

// The fields of GraphProto, in the order of their numbers.
Result<std::vector<Piece>> GraphPieces(const Graph& graph) {
  std::vector<Piece> pieces(1);
  {
    protozero::pbf_writer nodes(pieces.front().text);
    for (const Node& node : graph.nodes) {
      ASSIGN_OR_RETURN(const std::string message, NodeMessage(graph, node).At(Place(node)));
      nodes.add_message(1, message);
    }
    nodes.add_string(2, "intmill");  // must not be empty
  }
  for (const Value& value : graph.values)
    if (value.constant) pieces.push_back(Initializer(value));

  Piece ports;
  protozero::pbf_writer writer(ports.text);
  for (const ValueId id : graph.inputs) {
    ASSIGN_OR_RETURN(const std::string message, ValueMessage(graph.value(id)).At("input"));
    writer.add_message(11, message);
  }
  for (const ValueId id : graph.outputs) {
    ASSIGN_OR_RETURN(const std::string message, ValueMessage(graph.value(id)).At("output"));
    writer.add_message(12, message);
  }
  pieces.push_back(std::move(ports));
  return pieces;
}

Result<int64_t> BytesOf(const std::vector<Piece>& pieces) {
  int64_t bytes = 0;
  for (const Piece& piece : pieces)
    if (!AddFits(bytes, piece.bytes(), &bytes)) return CheckMessageBytes(INT64_MAX);
  return bytes;
}

// The fields of ModelProto before the graph, and those behind it.
std::string Front(const Graph& graph) {
  std::string text;
  protozero::pbf_writer writer(text);
  writer.add_int64(1, Has4Bits(graph) ? kIrVersionOf4Bits : kIrVersion);
  writer.add_string(2, "intmill");
  writer.add_string(3, INTMILL_PRODUCER_VERSION);
  return text;
}

std::string Back(const Graph& graph) {
  std::string text;
  protozero::pbf_writer writer(text);
  writer.add_message(8, OpsetMessage(kOpset));
  for (const auto& [key, value] : graph.metadata) writer.add_message(14, EntryMessage(key, value));
  return text;
}

Result<std::vector<Piece>> ModelPieces(const Graph& graph) {
  ASSIGN_OR_RETURN(std::vector<Piece> pieces, GraphPieces(graph));
  ASSIGN_OR_RETURN(const int64_t graph_bytes, BytesOf(pieces));
  pieces.insert(pieces.begin(), {Front(graph) + FieldHead(7, graph_bytes), {}});
  pieces.push_back({Back(graph), {}});
  ASSIGN_OR_RETURN(const int64_t bytes, BytesOf(pieces));
  TRY(CheckMessageBytes(bytes));
  return pieces;
}

Status Write(std::span<const std::byte> bytes, const Sink& sink) {
  return bytes.empty() ? Ok() : sink(bytes);
}

}  // namespace
}  // namespace onnx

Status WriteOnnx(const Graph& graph, const Sink& sink) {
  TRY(VerifyGraph(graph));
  ASSIGN_OR_RETURN(const Graph standard, ToStandardForm(graph));
  ASSIGN_OR_RETURN(const std::vector<onnx::Piece> pieces, onnx::ModelPieces(standard));
  for (const onnx::Piece& piece : pieces) {
    TRY(onnx::Write(std::as_bytes(std::span(piece.text)), sink));
    TRY(onnx::Write(piece.memory, sink));
  }
  return Ok();
}

Status WriteOnnx(const Graph& graph, const std::string& path) {
  return WriteFileAtomically(path, [&](const Sink& sink) { return WriteOnnx(graph, sink); });
}

}  // namespace intmill
