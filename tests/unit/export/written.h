// What the tests of exporting share: the bytes of an export, and the graph that importing makes.
#ifndef INTMILL_TESTS_UNIT_EXPORT_WRITTEN_H
#define INTMILL_TESTS_UNIT_EXPORT_WRITTEN_H

#include <criterion/criterion.h>
#include <cstring>
#include <string>

#include "export/onnx.h"
#include "import/onnx/onnx.h"
#include "ir/infer.h"
#include "ir/print.h"
#include "support/onnx_writer.h"

namespace intmill::test {

inline Graph Inferred(Graph graph) {
  const Status inferred = InferShapes(graph);
  cr_assert(inferred.ok(), "%s", inferred.message().c_str());
  return graph;
}

// Of a graph as loading leaves it: with shapes.
inline std::string Exported(const Graph& graph) {
  std::string bytes;
  const Status status = WriteOnnx(Inferred(graph), [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return Ok();
  });
  cr_assert(status.ok(), "%s", status.message().c_str());
  return bytes;
}

inline Status ExportStatus(const Graph& graph) {
  return WriteOnnx(graph, [](std::span<const std::byte>) { return Ok(); });
}

// As the file has it: no passes, but shapes, which files do not say, are inferred.
inline Graph Imported(const std::string& bytes) {
  Result<Graph> graph = ReadOnnx(BlobOf(bytes), "");
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  return Inferred(*std::move(graph));
}

inline bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.data<void>(), b.data<void>(), static_cast<size_t>(a.bytes())) == 0;
}

inline const Tensor* ConstantNamed(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values)
    if (value.name == name && value.constant) return &*value.constant;
  return nullptr;
}

// Notes of passes to each other are not written.
inline Graph WithoutNotes(Graph graph) {
  for (Node& node : graph.nodes) {
    std::vector<std::string> notes;
    for (const auto& [name, attribute] : node.attrs.all())
      if (name.starts_with("intmill.")) notes.push_back(name);
    for (const std::string& note : notes) node.attrs.Remove(note);
  }
  return graph;
}

// The same nodes, names, types, shapes and constants.
inline void ExpectEqual(const Graph& found, const Graph& noted, const char* what = "graph") {
  const Graph wanted = WithoutNotes(noted);
  cr_expect(Print(found) == Print(wanted), "%s: found\n%s\nwanted\n%s", what, Print(found).c_str(),
            Print(wanted).c_str());
  for (const Value& value : wanted.values) {
    if (!value.constant) continue;
    const Tensor* const constant = ConstantNamed(found, value.name);
    cr_assert(constant != nullptr, "%s: constant %s is missing", what, value.name.c_str());
    cr_expect(SameBytes(*constant, *value.constant), "%s: constant %s", what, value.name.c_str());
  }
  cr_assert_eq(found.inputs.size(), wanted.inputs.size(), "%s", what);
  for (size_t i = 0; i < wanted.inputs.size(); ++i)
    cr_expect(found.value(found.inputs[i]).dim_names == wanted.value(wanted.inputs[i]).dim_names,
              "%s: names of dimensions", what);
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_UNIT_EXPORT_WRITTEN_H
