// ONNX files that promise more than they hold, repeat tiny things, or unfold when computed.
#include "robustness/bombs.h"

#include <algorithm>

#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

constexpr size_t kFileBytes = size_t{1} << 20;

ModelParts Relu() {
  return {.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}}},
          .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
          .outputs = {ValueMessage("y", kOnnxFloat, {})}};
}

// A model whose graph is Relu's and then `piece(0)`, `piece(1)`... as fields `tag`, up to 1 MiB.
template <typename Piece>
std::string Repeated(uint32_t tag, Piece&& piece) {
  std::string graph = GraphMessage(Relu());
  protozero::pbf_writer writer(graph);
  for (int i = 0; graph.size() < kFileBytes; ++i) writer.add_message(tag, std::string(piece(i)));
  return Message([&](auto& w) {
    w.add_int64(1, 8);
    w.add_message(7, graph);
    w.add_message(8, OpsetMessage("", 17));
  });
}

void AddRepetitions(std::vector<Bomb>& bombs) {
  bombs.push_back({"nodes of two bytes", Repeated(1, [](int) { return std::string(); })});
  bombs.push_back({"nodes without inputs", Repeated(1, [](int) {
                     return NodeMessage({.op = "Abs", .inputs = {}, .outputs = {}});
                   })});
  bombs.push_back({"nodes in a chain", Repeated(1, [](int i) {
                     const std::string from = i == 0 ? "x" : std::to_string(i);
                     return NodeMessage(
                         {.op = "Abs", .inputs = {from}, .outputs = {std::to_string(i + 1)}});
                   })});
  bombs.push_back({"nodes in a chain, last first", Repeated(1, [](int i) {
                     return NodeMessage({.op = "Abs",
                                         .inputs = {std::to_string(i + 1)},
                                         .outputs = {std::to_string(i)}});
                   })});
  bombs.push_back({"different unknown operators", Repeated(1, [](int i) {
                     return NodeMessage(
                         {.op = "Op" + std::to_string(i), .inputs = {}, .outputs = {}});
                   })});
  bombs.push_back({"nodes that read many absent inputs", Repeated(1, [](int i) {
                     return NodeMessage({.op = "Concat",
                                         .inputs = std::vector<std::string>(1000),
                                         .outputs = {std::to_string(i)}});
                   })});
  bombs.push_back({"initializers of two bytes", Repeated(5, [](int) { return std::string(); })});
  bombs.push_back({"initializers of one byte", Repeated(5, [](int i) {
                     return RawTensor(std::to_string(i), kOnnxInt8, {1}, "1");
                   })});
  bombs.push_back({"initializers without elements", Repeated(5, [](int i) {
                     return TensorHead(std::to_string(i), kOnnxInt8, {0});
                   })});
  bombs.push_back({"inputs", Repeated(11, [](int i) {
                     return ValueMessage(std::to_string(i), kOnnxFloat, {{1}});
                   })});
  bombs.push_back({"outputs", Repeated(12, [](int i) {
                     return ValueMessage(std::to_string(i), kOnnxFloat, {{1}});
                   })});
  bombs.push_back({"value_infos of two bytes", Repeated(13, [](int) { return std::string(); })});
}

// TypeProto: a sequence of a sequence of..., outermost first in the file.
std::string NestedSequences(int depth) {
  std::vector<std::string> heads;
  size_t size = 0;
  for (int i = 0; i < 2 * depth; ++i) {
    std::string head;
    protozero::pbf_writer writer(head);
    head.push_back(i % 2 == 0 ? '\x0a' : '\x22');  // elem_type of Sequence, sequence_type of Type
    protozero::write_varint(std::back_inserter(head), size);
    size += head.size();
    heads.push_back(std::move(head));
  }
  std::string bytes;
  for (auto head = heads.rbegin(); head != heads.rend(); ++head) bytes += *head;
  return bytes;
}

void AddLies(std::vector<Bomb>& bombs) {
  ModelParts nested = Relu();
  nested.inputs = {Message([](auto& w) {
    w.add_string(1, "x");
    w.add_message(2, NestedSequences(100'000));
  })};
  bombs.push_back({"a hundred thousand nested types", ModelMessage(nested)});

  ModelParts ints = Relu();
  const std::vector<int64_t> ones(kFileBytes, 1);
  ints.nodes[0].attributes = {Message([&](auto& w) {
    w.add_string(1, "axes");
    w.add_packed_int64(8, ones.begin(), ones.end());
    w.add_int32(20, 7);
  })};
  bombs.push_back({"an attribute of a million integers", ModelMessage(ints)});

  ModelParts dims = Relu();
  dims.initializers = {Message([&](auto& w) {
    w.add_packed_int64(1, ones.begin(), ones.end());
    w.add_int32(2, kOnnxInt8);
    w.add_string(8, "w");
  })};
  bombs.push_back({"a tensor of a million dimensions", ModelMessage(dims)});

  ModelParts bytes = Relu();
  bytes.initializers = {Int32DataTensor("w", kOnnxInt8, {static_cast<int64_t>(kFileBytes)},
                                        std::vector<int32_t>(kFileBytes, 1))};
  bombs.push_back({"bytes in int32_data", ModelMessage(bytes)});
}

std::string WithNodes(std::vector<NodeParts> nodes, std::vector<std::string> initializers) {
  ModelParts model = Relu();
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  return ModelMessage(model);
}

void AddUnfolding(std::vector<Bomb>& bombs) {
  const auto constant_of_shape = [](const std::vector<int64_t>& shape) {
    return WithNodes({{.op = "ConstantOfShape", .inputs = {"s"}, .outputs = {"c"}},
                      {.op = "Add", .inputs = {"c", "x"}, .outputs = {"y"}}},
                     {Int64Tensor("s", {static_cast<int64_t>(shape.size())}, shape)});
  };
  bombs.push_back({"ConstantOfShape of 2^40", constant_of_shape({int64_t{1} << 40, 2})});
  bombs.push_back({"ConstantOfShape of 2^44 bytes", constant_of_shape({1 << 21, 1 << 20, 2})});
  bombs.push_back({"ConstantOfShape of 8 GiB", constant_of_shape({1 << 30, 2})});
  bombs.push_back(
      {"Expand to 8 GiB", WithNodes({{.op = "Expand", .inputs = {"x", "s"}, .outputs = {"y"}}},
                                    {Int64Tensor("s", {2}, {1 << 30, 2})})});
  bombs.push_back({"Tile a million times a million times",
                   WithNodes({{.op = "Tile", .inputs = {"x", "t"}, .outputs = {"a"}},
                              {.op = "Tile", .inputs = {"a", "t"}, .outputs = {"y"}}},
                             {Int64Tensor("t", {1}, {1'000'000})})});

  std::vector<NodeParts> doubling;
  for (int i = 0; i < 40; ++i) {
    const std::string from = "c" + std::to_string(i);
    doubling.push_back({.op = "Concat",
                        .inputs = {from, from},
                        .outputs = {"c" + std::to_string(i + 1)},
                        .attributes = {IntAttribute("axis", 0)}});
  }
  doubling.push_back({.op = "Relu", .inputs = {"c40"}, .outputs = {"y"}});
  bombs.push_back(
      {"a constant doubled forty times", WithNodes(doubling, {FloatTensor("c0", {2}, {1, 2})})});
  doubling[0].inputs = {"x", "x"};
  bombs.push_back({"an input doubled forty times", WithNodes(doubling, {})});
}

}  // namespace

std::vector<Bomb> Bombs() {
  std::vector<Bomb> bombs;
  AddRepetitions(bombs);
  AddLies(bombs);
  AddUnfolding(bombs);
  return bombs;
}

}  // namespace intmill::test
