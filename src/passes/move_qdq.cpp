// move_qdq: Q and DQ nodes change places with nodes that only move elements, so that what is moved
// are integers and Q meets the node that computes. Rounding again to the same integers goes away.
#include <algorithm>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "passes/substitution.h"

namespace intmill {
namespace {

bool HasOneMeaning(const QuantizedValue& q) { return IsActivation(q) || IsActivation16(q); }

class Mover {
 public:
  explicit Mover(Graph& graph) : graph_(graph), edges_(graph) {}

  int64_t Run() {
    int64_t moved = 0;
    const int32_t nodes = edges_.size();
    for (int32_t i = nodes; i-- > 0;)
      if (MayMove(i) && PullUp(i)) ++moved;
    for (int32_t i = 0; i < nodes; ++i)
      if (MayMove(i) && PushDown(i)) ++moved;
    edges_.Sweep();
    return moved;
  }

 private:
  bool MayMove(int32_t index) { return edges_.node(index).op->Has(kMovesData); }

  // The inputs whose elements become those of the outputs.
  std::vector<size_t> DataInputs(const Node& node) const {
    std::vector<size_t> data;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] != kNoValue && CarriesScale(*node.op, i)) data.push_back(i);
    return data;
  }

  // x -> move -> Q becomes x -> Q -> move: rounding an element does not care where it stands.
  bool PullUp(int32_t index) {
    const std::vector<ValueId> outputs = edges_.node(index).outputs;
    if (outputs.size() != 1 || outputs[0] == kNoValue) return false;
    const std::optional<QuantizedValue> q = edges_.Quantized(outputs[0]);
    if (!q || !HasOneMeaning(*q)) return false;
    const std::vector<size_t> data = DataInputs(edges_.node(index));
    bool all_dequantized = true;  // then PushDown does it without new nodes
    for (const size_t i : data) {
      const ValueId x = edges_.node(index).inputs[i];
      const std::optional<QuantizedValue> d = edges_.Dequantized(x);
      const bool same = d && SameMeaning(*d, *q);
      all_dequantized &= same;
      if (!same && edges_.SoleReader(x) != index) return false;
    }
    if (all_dequantized) return false;
    for (const size_t i : data) edges_.SetInput(index, i, Quantize(index, i, *q));
    edges_.Kill(q->node);
    edges_.node(index).outputs[0] = q->id;
    edges_.SetProducer(q->id, index);
    return true;
  }

  // Input i of the node in integers.
  ValueId Quantize(int32_t index, size_t i, const QuantizedValue& q) {
    const ValueId x = edges_.node(index).inputs[i];
    const std::optional<QuantizedValue> d = edges_.Dequantized(x);
    if (d && SameMeaning(*d, q)) return d->id;
    Node node = edges_.node(q.node);
    node.inputs[0] = x;
    const Value& value = graph_.value(x);
    node.outputs = {edges_.AddValue(Cat(value.name, ".q"), q.qparams->dtype, value.shape)};
    const ValueId out = node.outputs[0];
    edges_.Append(std::move(node));
    return out;
  }

  // The DQ node behind all data inputs, in one meaning; or behind the only one, when its scale is
  // one number that is not known yet, or its scales lie along an axis that only moves.
  int32_t CommonDequantize(int32_t index, const std::vector<size_t>& data) {
    std::optional<QuantizedValue> q;
    for (const size_t i : data) {
      const ValueId x = edges_.node(index).inputs[i];
      const std::optional<QuantizedValue> d = edges_.Dequantized(x);
      if (!d && data.size() == 1 && HasOneScale(edges_.Producer(x))) return edges_.Producer(x);
      if (d && data.size() == 1 && AxisBehind(index, *d)) return d->node;
      if (!d || !HasOneMeaning(*d) || (q && !SameMeaning(*d, *q))) return Uses::kNone;
      q = d;
    }
    return q ? q->node : Uses::kNone;
  }

  // Where the scales of a weight lie behind a Transpose, the one operator that names axes anew.
  std::optional<int64_t> AxisBehind(int32_t index, const QuantizedValue& q) {
    const Node& node = edges_.node(index);
    if (node.op != transpose_ || q.qparams->per_tensor()) return {};
    const auto rank = static_cast<int64_t>(graph_.value(q.id).shape->size());
    std::vector<int64_t> reversed;
    for (int64_t d = rank; d-- > 0;) reversed.push_back(d);
    const Result<std::vector<int64_t>> order = node.attrs.Ints("perm", reversed);
    if (!order.ok()) return {};
    const auto found = std::ranges::find(*order, q.qparams->axis);
    if (found == order->end()) return {};
    return found - order->begin();
  }

  bool HasOneScale(int32_t index) {
    if (index == Uses::kNone || !edges_.node(index).op->Has(kDequantize)) return false;
    const ValueId scale = edges_.node(index).inputs[1];
    const std::optional<Shape>& shape = graph_.value(scale).shape;
    return shape && shape->empty() && graph_.ConstantOf(scale) == nullptr;
  }

  // DQ -> move becomes move -> DQ.
  bool PushDown(int32_t index) {
    const std::vector<size_t> data = DataInputs(edges_.node(index));
    const int32_t dequantize = CommonDequantize(index, data);
    if (dequantize == Uses::kNone) return false;
    const DType dtype = graph_.value(edges_.node(dequantize).inputs[0]).dtype;
    const std::optional<QuantizedValue> q = edges_.Dequantized(edges_.node(dequantize).outputs[0]);
    const std::optional<int64_t> axis = q ? AxisBehind(index, *q) : std::nullopt;
    for (const size_t i : data) {
      const int32_t own = edges_.Producer(edges_.node(index).inputs[i]);
      edges_.SetInput(index, i, edges_.node(own).inputs[0]);
    }
    for (size_t i = 0; i < edges_.node(index).outputs.size(); ++i) {
      const ValueId y = edges_.node(index).outputs[i];
      if (y == kNoValue || graph_.value(y).dtype != DType::kF32) continue;  // a mask, say
      Node node = edges_.node(dequantize);
      if (axis) node.attrs.Set("axis", *axis);
      const ValueId moved =
          edges_.AddValue(Cat(graph_.value(y).name, ".q"), dtype, graph_.value(y).shape);
      edges_.node(index).outputs[i] = moved;
      edges_.SetProducer(moved, index);
      node.inputs[0] = moved;
      node.outputs = {y};
      edges_.Append(std::move(node));
    }
    return true;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const transpose_ = FindOp("Transpose");
};

// Two Q nodes that round one value alike are one. The others go at once: while they stand, the
// value has several readers.
int64_t MergeTwins(Graph& graph) {
  constexpr size_t kMaxWays = 16;  // in which one value is rounded; more are not compared
  Edges edges(graph);
  Substitution substitution(graph);
  std::vector<std::vector<QuantizedValue>> readers(graph.values.size());
  int64_t merged = 0;
  for (int32_t i = 0; i < static_cast<int32_t>(graph.nodes.size()); ++i) {
    const std::optional<QuantizedValue> q = edges.QuantizedBy(i);
    if (!q) continue;
    auto& others = readers[static_cast<size_t>(graph.nodes[static_cast<size_t>(i)].inputs[0])];
    const auto twin =
        std::ranges::find_if(others, [&](const auto& other) { return SameMeaning(other, *q); });
    if (twin != others.end() && substitution.Replace(q->id, twin->id)) {
      edges.Kill(i);
      ++merged;
    } else if (others.size() < kMaxWays) {
      others.push_back(*q);
    }
  }
  substitution.Apply();
  edges.Sweep();
  return merged;
}

// u8 with zero point z and s8 with z - 128 are two ways to write the same integers.
bool SameNumbers(const QuantizedValue& a, const QuantizedValue& b) {
  if (SameMeaning(a, b)) return true;
  const auto zero_from_lowest = [](const QParams& q) { return q.zero_points[0] - MinOf(q.dtype); };
  return IsActivation(a) && IsActivation(b) && a.qparams->scales == b.qparams->scales &&
         zero_from_lowest(*a.qparams) == zero_from_lowest(*b.qparams);
}

// Integers that were made real and are rounded in the same way again stay what they are.
class Canceller {
 public:
  explicit Canceller(Graph& graph) : graph_(graph), edges_(graph), substitution_(graph) {}

  int64_t Run() {
    int64_t cancelled = 0;
    for (int32_t i = 0; i < edges_.size(); ++i)
      if (CancelQuantize(i) || CancelDequantize(i)) ++cancelled;
    substitution_.Apply();
    return cancelled;
  }

 private:
  // x -> DQ -> Q is x. Written in the other way, Q reads what x was rounded from.
  bool CancelQuantize(int32_t index) {
    if (!edges_.node(index).op->Has(kQuantize)) return false;
    const std::optional<QuantizedValue> d = edges_.Dequantized(edges_.node(index).inputs[0]);
    if (!d) return false;
    const std::optional<QuantizedValue> q = edges_.QuantizedBy(index);
    if (!q || !SameNumbers(*d, *q)) return false;
    if (SameMeaning(*d, *q)) return substitution_.Replace(q->id, d->id);
    const int32_t first = edges_.Producer(d->id);
    if (first == Uses::kNone) return false;
    const std::optional<QuantizedValue> original = edges_.QuantizedBy(first);
    if (!original || !SameMeaning(*original, *d)) return false;
    edges_.SetInput(index, 0, edges_.node(first).inputs[0]);
    return true;
  }

  // x -> DQ -> Q -> DQ is x -> DQ.
  bool CancelDequantize(int32_t index) {
    if (!edges_.node(index).op->Has(kDequantize)) return false;
    const int32_t rounding = edges_.Producer(edges_.node(index).inputs[0]);
    if (rounding == Uses::kNone || !edges_.node(rounding).op->Has(kQuantize)) return false;
    const ValueId real = edges_.node(rounding).inputs[0];
    const std::optional<QuantizedValue> original = edges_.Dequantized(real);
    if (!original) return false;
    const std::optional<QuantizedValue> q = edges_.QuantizedBy(rounding);
    const std::optional<QuantizedValue> d = edges_.Dequantized(edges_.node(index).outputs[0]);
    return q && d && SameMeaning(*q, *d) && SameNumbers(*original, *q) &&
           substitution_.Replace(edges_.node(index).outputs[0], real);
  }

  Graph& graph_;
  Edges edges_;
  Substitution substitution_;
};

}  // namespace

Result<int64_t> MoveQdq(Graph& graph, PassContext&) {
  int64_t changes = MergeTwins(graph);
  changes += Mover(graph).Run();
  TRY(SortTopologically(graph));
  changes += Canceller(graph).Run();
  return changes;
}

}  // namespace intmill
