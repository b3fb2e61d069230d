// A small model with something of everything, and files in memory.
#ifndef INTMILL_TESTS_UNIT_FORMAT_MODEL_H
#define INTMILL_TESTS_UNIT_FORMAT_MODEL_H

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "format/format.h"
#include "format/header.h"
#include "ir/op.h"

namespace intmill {

// y = Relu(x + c), with attributes of every kind that the operator ignores.
inline Graph SmallModel() {
  Graph graph;
  const ValueId x = graph.AddValue("x", DType::kF32, Shape{kDynamic, 4});
  graph.value(x).dim_names = {"batch", ""};
  const float numbers[] = {1, 2, 3, 4};
  const ValueId c = graph.AddConstant("c", *Tensor::Of(std::span<const float>(numbers)));
  const ValueId sum = graph.AddValue("sum");
  const ValueId y = graph.AddValue("y");
  graph.inputs = {x};
  graph.outputs = {y};
  graph.AddNode("add", FindOp("Add"), {x, c}, {sum});
  Attributes& attrs = graph.AddNode("relu", FindOp("Relu"), {sum}, {y}).attrs;
  attrs.Set("an_int", int64_t{-5});
  attrs.Set("a_float", 0.1f);
  attrs.Set("a_string", std::string("text"));
  attrs.Set("ints", std::vector<int64_t>{1, INT64_MAX});
  attrs.Set("floats", std::vector<float>{});
  attrs.Set("strings", std::vector<std::string>{"", "two"});
  attrs.Set("tensor", *Tensor::Of(std::span<const float>(numbers)));
  graph.metadata = {{"source.file", "small.onnx"}, {"empty", ""}};
  return graph;
}

inline std::string Written(const Graph& graph) {
  std::string bytes;
  const Status status = WriteModel(graph, [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return Ok();
  });
  return status.ok() ? bytes : "error: " + status.message();
}

// The bytes at an address that is `shift` past a multiple of 64.
inline BlobPtr InMemory(const std::string& bytes, size_t shift = 0) {
  auto memory = std::make_shared<std::vector<std::byte>>(bytes.size() + 128);
  const size_t past = reinterpret_cast<uintptr_t>(memory->data()) % 64;
  std::byte* const begin = memory->data() + (64 - past) + shift;
  std::memcpy(begin, bytes.data(), bytes.size());
  return std::make_shared<const Blob>(std::span<const std::byte>(begin, bytes.size()), [memory] {});
}

inline Result<Graph> ReadBytes(const std::string& bytes) { return ReadModel(InMemory(bytes)); }

// Makes every checksum of the header right again, as an attacker would.
inline std::string Resealed(std::string bytes) {
  const std::span<const std::byte> file = std::as_bytes(std::span(bytes));
  format::Header header;
  header.version = kFormatVersion;
  header.file_bytes = bytes.size();
  header.structure_offset = format::kHeaderBytes;
  std::memcpy(&header.structure_bytes, bytes.data() + 32, sizeof(uint64_t));
  header.structure_hash = ChecksumOf(file.subspan(header.structure_offset, header.structure_bytes));
  const auto encoded = format::EncodeHeader(header);
  std::memcpy(bytes.data(), encoded.data(), encoded.size());
  return bytes;
}

}  // namespace intmill

#endif  // INTMILL_TESTS_UNIT_FORMAT_MODEL_H
