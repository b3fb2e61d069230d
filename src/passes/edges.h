// What the fusions ask of the edges between nodes: sole readers, and the Q/DQ nodes around them.
#ifndef INTMILL_PASSES_EDGES_H
#define INTMILL_PASSES_EDGES_H

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "tensor/qparams.h"

namespace intmill {

// An integer value and what it means.
struct QuantizedValue {
  ValueId id = kNoValue;
  QParamsPtr qparams;
  int32_t node = Uses::kNone;  // the Q or DQ node that says so
};

// 8 bits with one scale: what activations are that operators compute with.
bool IsActivation(const QuantizedValue& q);
// 16 bits, with one scale and no zero point: a product reads them as two activations of 8.
bool IsActivation16(const QuantizedValue& q);
inline bool SameMeaning(const QuantizedValue& a, const QuantizedValue& b) {
  return *a.qparams == *b.qparams;
}

// Whether fold_qdq takes a weighted node with these weights: 8 bits, scaled at once or along output
// channels, and not so many to a channel that sums leave 32 bits.
bool WeightsFold(const Graph& graph, const Node& node, const QuantizedValue& weights);

// Whether input i of the node has the elements that its outputs have (QuantRule::kSameScale).
bool CarriesScale(const OpDef& op, size_t i);

bool IsCast(const Graph& graph, const Node& node, DType from, DType to);

// A graph under rewriting: nodes are marked dead and dropped at the end, new ones come last, so
// indices stay valid. References to nodes do not: Append may move them.
class Edges {
 public:
  explicit Edges(Graph& graph)
      : graph_(graph), uses_(FindUses(graph)), dead_(graph.nodes.size(), false) {}

  Graph& graph() { return graph_; }
  const Graph& graph() const { return graph_; }
  Node& node(int32_t index) { return graph_.nodes[static_cast<size_t>(index)]; }
  int32_t size() const { return static_cast<int32_t>(graph_.nodes.size()); }
  bool IsDead(int32_t index) const { return dead_[static_cast<size_t>(index)]; }
  int32_t Producer(ValueId id) const {
    return id == kNoValue ? Uses::kNone : uses_.producer[static_cast<size_t>(id)];
  }

  // The node that reads the value when nothing else does, or Uses::kNone.
  int32_t SoleReader(ValueId id) const;
  // How often the value is read, as an output of the graph too.
  int64_t Readers(ValueId id) const {
    const auto i = static_cast<size_t>(id);
    return std::ssize(uses_.consumers[i]) + (uses_.is_output[i] ? 1 : 0);
  }
  // The only producer-consumer pair fused: `producer` now writes `id`.
  void SetProducer(ValueId id, int32_t producer) {
    uses_.producer[static_cast<size_t>(id)] = producer;
  }
  void SetInput(int32_t index, size_t i, ValueId id);
  void Kill(int32_t index);

  ValueId AddValue(std::string_view name, DType dtype, std::optional<Shape> shape);
  int32_t Append(Node node);

  // Behind a DequantizeLinear with constant parameters: its integer input. Nothing otherwise.
  std::optional<QuantizedValue> Dequantized(ValueId id) const;
  // What a QuantizeLinear with constant parameters writes. Nothing for other nodes.
  std::optional<QuantizedValue> QuantizedBy(int32_t index) const;
  // Before such a node that is the sole reader: its output.
  std::optional<QuantizedValue> Quantized(ValueId id) const;

  // Drops the dead nodes. The order of the others is kept.
  void Sweep();

 private:
  Graph& graph_;
  Uses uses_;
  std::vector<bool> dead_;
};

// A product of two operands that are BF16 widened to f32, perhaps under another shape since.
bool IsProductOfBf16(const Edges& edges, const Node& node);

}  // namespace intmill

#endif  // INTMILL_PASSES_EDGES_H
