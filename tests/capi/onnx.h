// Small ONNX files, written byte by byte: what no exporter would write is what tests need.
#ifndef INTMILL_TESTS_CAPI_ONNX_H
#define INTMILL_TESTS_CAPI_ONNX_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// One message in the wire format of protocol buffers; field numbers are those of onnx.proto.
class Proto {
 public:
  Proto& Number(int field, uint64_t value) {
    Varint(static_cast<uint64_t>(field) << 3);
    Varint(value);
    return *this;
  }
  Proto& Text(int field, std::string_view text) {
    Varint(static_cast<uint64_t>(field) << 3 | 2);
    Varint(text.size());
    bytes_ += text;
    return *this;
  }
  Proto& Message(int field, const Proto& message) { return Text(field, message.bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

// A float input or output; sizes of 0 and names stand for open dimensions.
inline Proto OnnxPort(std::string_view name, const std::vector<std::string>& dims) {
  Proto shape;
  for (const std::string& dim : dims) {
    const bool is_size = dim[0] >= '0' && dim[0] <= '9';
    shape.Message(1, is_size ? Proto().Number(1, std::stoull(dim)) : Proto().Text(2, dim));
  }
  const Proto type = Proto().Message(1, Proto().Number(1, 1).Message(2, shape));
  return Proto().Text(1, name).Message(2, type);
}

struct OnnxNode {
  std::string op;
  std::vector<std::string> inputs;
  std::string output;
  std::string domain = {};
};

struct OnnxGraph {
  std::vector<Proto> inputs;
  std::vector<OnnxNode> nodes;
  std::vector<Proto> outputs;
};

inline std::string OnnxFile(const OnnxGraph& graph, uint64_t opset = 17, uint64_t ir_version = 8) {
  Proto proto;
  for (const OnnxNode& node : graph.nodes) {
    Proto n;
    for (const std::string& input : node.inputs) n.Text(1, input);
    if (!node.domain.empty()) n.Text(7, node.domain);
    proto.Message(1, n.Text(2, node.output).Text(3, node.output + "_node").Text(4, node.op));
  }
  proto.Text(2, "graph");
  for (const Proto& input : graph.inputs) proto.Message(11, input);
  for (const Proto& output : graph.outputs) proto.Message(12, output);
  return Proto()
      .Number(1, ir_version)
      .Message(7, proto)
      .Message(8, Proto().Text(1, "").Number(2, opset))
      .bytes();
}

// sum = a + b, both of `rows` rows and three columns.
inline std::string OnnxAdd(const std::string& rows, uint64_t opset = 17) {
  return OnnxFile({{OnnxPort("a", {rows, "3"}), OnnxPort("b", {rows, "3"})},
                   {{"Add", {"a", "b"}, "sum"}},
                   {OnnxPort("sum", {rows, "3"})}},
                  opset);
}

#endif  // INTMILL_TESTS_CAPI_ONNX_H
