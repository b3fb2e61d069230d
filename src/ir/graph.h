// The graph: values, and nodes in topological order that compute them. Each value has one producer.
#ifndef INTMILL_IR_GRAPH_H
#define INTMILL_IR_GRAPH_H

#include <cstdint>
#include <map>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "ir/attributes.h"
#include "tensor/qparams.h"
#include "tensor/shape.h"
#include "tensor/tensor.h"

namespace intmill {

struct OpDef;

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;  // an optional input or output that is not there

struct Value {
  std::string name;
  DType dtype = DType::kNone;      // kNone until inferred
  std::optional<Shape> shape;      // absent: rank unknown; kDynamic dimensions: unknown
  std::optional<Tensor> constant;  // then dtype and shape are the constant's
  // Set by fold_qdq on integer values that fused operators read and write as real numbers.
  QParamsPtr qparams;
  // Of graph inputs: the symbolic name of each dimension, "" where it has none.
  std::vector<std::string> dim_names;
};

// What an operator does to its result before writing it; set by the compile-time fusions only, so
// files and exports hold plain operators.
struct PostOp {
  enum class Kind {
    kRelu,
    kClip,
    kLeakyRelu,
    kSigmoid,
    kTanh,
    kElu,
    kHardSigmoid,
    kHardSwish,
    kGelu,
    kSwish,
    kAdd,
    kTable  // the last one, where it is there
  };
  Kind kind = Kind::kRelu;
  float alpha = 0;  // kClip: lower bound; kLeakyRelu, kElu, kHardSigmoid: as ONNX
  float beta = 0;   // kClip: upper bound; kHardSigmoid: as ONNX
  int64_t input =
      0;  // kAdd: index into Node::inputs of the tensor added (same shape as the output)
  // kTable: the 8-bit integers, with one scale, that the result is rounded to, and the 256 f32
  // that come of them, in the order of their bytes (s8 as two's complement).
  QParamsPtr rounded;
  Tensor table;
};

struct Node {
  std::string name;  // never empty, unique in the graph
  const OpDef* op = nullptr;
  Attributes attrs;  // in the newest form that OpDef::upgrade makes
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<PostOp> post_ops;
};

// Which names are taken among the first `indexed` entries of a list, the last of which was called
// `last`: where that no longer holds, the list was changed and the index is built anew.
struct NameIndex {
  std::map<std::string, int64_t, std::less<>> next_suffix;
  size_t indexed = 0;
  std::string last;
};

class Graph {
 public:
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;   // not constants
  std::vector<ValueId> outputs;  // may name a constant or an input
  std::map<std::string, std::string> metadata;

  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }

  // The name is made unique by a suffix when taken.
  ValueId AddValue(std::string_view name, DType dtype = DType::kNone,
                   std::optional<Shape> shape = {});
  ValueId AddConstant(std::string_view name, Tensor tensor);
  // Appends a node with as many new outputs as `outputs` names; name made unique.
  Node& AddNode(std::string_view name, const OpDef* op, std::vector<ValueId> inputs,
                std::vector<ValueId> outputs);

  // The constant behind an input, or null (also for kNoValue).
  const Tensor* ConstantOf(ValueId id) const;
  std::string UniqueValueName(std::string_view wanted) const;
  std::string UniqueNodeName(std::string_view wanted) const;

 private:
  // The names in use, so that asking for unique ones is not quadratic.
  mutable NameIndex value_names_;
  mutable NameIndex node_names_;
};

// Who makes and who reads each value, valid until the graph changes.
struct Uses {
  static constexpr int32_t kNone = -1;
  using Readers = std::pmr::vector<int32_t>;
  // Of all lists of readers: most have one entry, and every pass makes them anew.
  std::unique_ptr<std::pmr::monotonic_buffer_resource> memory;
  std::vector<int32_t> producer;        // node index, or kNone for inputs and constants
  std::pmr::vector<Readers> consumers;  // node indices, one entry per input that reads it
  std::vector<bool> is_output;          // a graph output
};
Uses FindUses(const Graph& graph);

// Makes all readers of `from` (nodes and graph outputs) read `to`.
void ReplaceUses(Graph& graph, ValueId from, ValueId to);

// Orders nodes so that producers come first; an error names a node on a cycle.
Status SortTopologically(Graph& graph);
// Drops nodes whose outputs nobody needs, and values nobody names; renumbers values.
void Prune(Graph& graph);

// "node 'conv1' (Conv)", the place in front of a message about a node.
std::string Place(const Node& node);

}  // namespace intmill

#endif  // INTMILL_IR_GRAPH_H
