// pull_selection: a classifier reads one token of what the last layer computes for all of them. The
// Gather or Slice that selects it moves up through operators that compute each row by itself, so
// that the layer computes the rows that are read. For compiled graphs, where all dimensions are
// known. This file names the operators.
#include <algorithm>
#include <map>
#include <tuple>

#include "ir/op.h"
#include "passes/axis_origin.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

using Ints = std::vector<int64_t>;

// A longer list of indices, or a value that more nodes read, is left alone: each move looks through
// the one and the other.
constexpr int64_t kMaxIndices = 1024;
constexpr int64_t kMaxReaders = 1024;

// What is picked of an axis, wherever it stands: indices (Gather), or start, end, step (Slice).
struct Selection {
  const OpDef* op = nullptr;
  Ints arguments;
  int64_t count = 0;
};

// A node that selects: `what` numbers the selections.
struct Selector {
  int32_t node = Uses::kNone;
  int64_t axis = 0;
  size_t what = 0;
};

// The integers of input i, when they are constant and not many.
std::optional<Ints> KnownInts(const Graph& graph, const Node& node, size_t i) {
  const Tensor* constant = i < node.inputs.size() ? graph.ConstantOf(node.inputs[i]) : nullptr;
  if (constant == nullptr || constant->rank() > 1 || constant->elements() > kMaxIndices) return {};
  Result<Ints> values = ToInts(*constant);
  return values.ok() ? std::optional(*std::move(values)) : std::nullopt;
}

class Puller {
 public:
  Puller(Graph& graph, int64_t max_constant_bytes)
      : graph_(graph), edges_(graph), max_constant_bytes_(max_constant_bytes) {}

  Result<int64_t> Run() {
    int64_t moved = 0;
    const int32_t nodes = edges_.size();
    // One after the other: behind what a selection reads another may have made way for it.
    for (int32_t i = 0; i < nodes; ++i) {
      const std::optional<Selector> s = Find(i);
      if (!s) continue;
      if (fused_axes_.empty()) FindFusedAxes();
      waiting_.push_back(*s);
      while (!waiting_.empty()) {
        const Selector next = waiting_.back();
        waiting_.pop_back();
        ASSIGN_OR_RETURN(const bool done, Move(next));
        if (done) ++moved;
      }
    }
    if (moved == 0) return 0;
    edges_.Sweep();
    TRY(SortTopologically(graph_));
    return moved;
  }

 private:
  // What a product takes along (a bias, an activation, rounding) must stay behind it: a selection
  // that cannot pass the product does not come between them. For each value a bit for each such
  // axis.
  void FindFusedAxes() {
    fused_axes_.assign(graph_.values.size(), 0);
    for (const Node& node : graph_.nodes) {
      const bool is_product = node.op->quant == QuantRule::kWeighted;
      if (node.outputs.empty() || node.outputs[0] == kNoValue ||
          (!is_product && !node.op->Has(kElementwise) && !node.op->Has(kQuantize)))
        continue;
      const std::optional<Shape>& shape = graph_.value(node.outputs[0]).shape;
      for (size_t axis = 0; shape && axis < shape->size(); ++axis)
        if (IsFused(node, static_cast<int64_t>(axis), is_product))
          fused_axes_[static_cast<size_t>(node.outputs[0])] |= 1u << axis;
    }
  }

  bool IsFused(const Node& node, int64_t axis, bool is_product) const {
    const std::optional<Ints> origin = AxisOrigin(graph_, node, axis);
    if (is_product) return !origin;
    for (size_t i = 0; origin && i < origin->size(); ++i)
      if ((*origin)[i] != kWhole && HasFusedAxis(node.inputs[i], (*origin)[i])) return true;
    return false;
  }

  // Of values that this pass made, no axis is.
  bool HasFusedAxis(ValueId id, int64_t axis) const {
    const auto i = static_cast<size_t>(id);
    return i < fused_axes_.size() && (fused_axes_[i] >> axis & 1u) != 0;
  }

  std::optional<Selector> Find(int32_t index) {
    const Node& node = edges_.node(index);
    if ((node.op != gather_ && node.op != slice_) || edges_.Producer(node.inputs[0]) == Uses::kNone)
      return {};
    const std::optional<Shape>& shape = graph_.value(node.inputs[0]).shape;
    if (!shape || !IsStatic(*shape) || !node.post_ops.empty()) return {};
    Selector s{.node = index};
    std::optional<Selection> found =
        node.op == gather_ ? Gathered(node, *shape, s.axis) : Sliced(node, *shape, s.axis);
    if (!found || found->count < 1) return {};
    // Where most of an axis is picked, copying it more than once costs what the rest saves.
    if (found->count > (*shape)[static_cast<size_t>(s.axis)] / 2) return {};
    const auto key = std::pair(found->op == slice_, found->arguments);
    s.what = numbers_.try_emplace(key, selections_.size()).first->second;
    if (s.what == selections_.size()) selections_.push_back(*std::move(found));
    return s;
  }

  std::optional<Selection> Gathered(const Node& node, const Shape& shape, int64_t& axis) const {
    const Result<int64_t> given = node.attrs.Int("axis", 0);
    std::optional<Ints> indices = KnownInts(graph_, node, 1);
    if (!given.ok() || !indices) return {};
    const Result<int64_t> at = NormalizeAxis(*given, static_cast<int64_t>(shape.size()));
    if (!at.ok()) return {};
    axis = *at;
    const int64_t dim = shape[static_cast<size_t>(axis)];
    for (int64_t& index : *indices) {
      if (index < -dim || index >= dim) return {};
      if (index < 0) index += dim;
    }
    const int64_t count = std::ssize(*indices);
    return Selection{gather_, *std::move(indices), count};
  }

  std::optional<Selection> Sliced(const Node& node, const Shape& shape, int64_t& axis) const {
    const auto one = [&](size_t i, int64_t fallback) -> std::optional<int64_t> {
      if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return fallback;
      const std::optional<Ints> values = KnownInts(graph_, node, i);
      return values && values->size() == 1 ? std::optional(values->front()) : std::nullopt;
    };
    const auto start = one(1, 0);
    const auto end = one(2, 0);
    const auto given = one(3, 0);
    const auto step = one(4, 1);
    const std::optional<Shape>& out = graph_.value(node.outputs[0]).shape;
    if (!start || !end || !given || !step || !out) return {};
    const Result<int64_t> at = NormalizeAxis(*given, static_cast<int64_t>(shape.size()));
    if (!at.ok()) return {};
    axis = *at;
    return Selection{slice_, {*start, *end, *step}, (*out)[static_cast<size_t>(axis)]};
  }

  // The node before the selector selects instead, from its inputs.
  Result<bool> Move(const Selector& s) {
    if (edges_.IsDead(s.node)) return false;
    const std::optional<Ints> origin = OriginBefore(s);
    if (!origin) return false;
    const int32_t producer = edges_.Producer(edges_.node(s.node).inputs[0]);
    ASSIGN_OR_RETURN(const ValueId out, OutputOf(s));
    for (size_t i = 0; i < origin->size(); ++i) {
      if ((*origin)[i] == kWhole) continue;
      const ValueId from = edges_.node(producer).inputs[i];
      ASSIGN_OR_RETURN(const ValueId selected, Select(from, (*origin)[i], s.what));
      edges_.SetInput(producer, i, selected);
    }
    edges_.node(producer).outputs = {out};
    edges_.SetProducer(out, producer);
    edges_.Kill(s.node);
    if (edges_.node(producer).op->Has(kAlias)) TRY(MakeReshape(producer));
    return true;
  }

  // The axes to select along before the node that makes what the selector alone reads.
  std::optional<Ints> OriginBefore(const Selector& s) {
    const ValueId id = edges_.node(s.node).inputs[0];
    const int32_t producer = edges_.Producer(id);
    if (producer == Uses::kNone || edges_.SoleReader(id) != s.node || HasFusedAxis(id, s.axis))
      return {};
    const Node& node = edges_.node(producer);
    if (!node.post_ops.empty() || node.outputs[0] != id) return {};
    for (size_t i = 1; i < node.outputs.size(); ++i)
      if (node.outputs[i] != kNoValue && edges_.Readers(node.outputs[i]) > 0) return {};
    std::optional<Ints> origin = AxisOrigin(graph_, node, s.axis);
    for (size_t i = 0; origin && i < origin->size(); ++i)
      if ((*origin)[i] != kWhole && !MaySelect(node.inputs[i])) return {};
    return origin;
  }

  // Quantized constants stay behind their DequantizeLinear, where other passes look for them; from
  // others fold_constants selects.
  bool MaySelect(ValueId id) {
    if (edges_.Readers(id) > kMaxReaders || BitsOf(graph_.value(id).dtype) < 8) return false;
    if (const Tensor* constant = graph_.ConstantOf(id))
      return constant->bytes() <= max_constant_bytes_;
    const int32_t producer = edges_.Producer(id);
    return producer == Uses::kNone || !edges_.node(producer).op->Has(kDequantize) ||
           graph_.ConstantOf(edges_.node(producer).inputs[0]) == nullptr;
  }

  // What the selector writes. Where its index is a scalar, which drops the axis, a value that has
  // it, from which a Reshape makes the other.
  Result<ValueId> OutputOf(const Selector& s) {
    const ValueId out = edges_.node(s.node).outputs[0];
    const Shape in = *graph_.value(edges_.node(s.node).inputs[0]).shape;
    if (graph_.value(out).shape->size() == in.size()) return out;
    const Value value = graph_.value(out);
    Shape kept = in;
    kept[static_cast<size_t>(s.axis)] = 1;
    const ValueId selected = edges_.AddValue(Cat(value.name, ".selected"), value.dtype, kept);
    Node node{.name = edges_.node(s.node).name, .op = reshape_};
    ASSIGN_OR_RETURN(const ValueId dims, Constant(Cat(value.name, ".shape"), *value.shape));
    node.inputs = {selected, dims};
    node.outputs = {out};
    edges_.Append(std::move(node));
    return selected;
  }

  // The selection of this value, made once: what reads it on two ways, as around a residual, then
  // has one reader again, so that the selection may move on.
  Result<ValueId> Select(ValueId from, int64_t axis, size_t what) {
    const auto known = made_.find({from, axis, what});
    if (known != made_.end()) {
      waiting_.push_back({known->second, axis, what});
      return edges_.node(known->second).outputs[0];
    }
    const Selection& selection = selections_[what];
    const Value value = {.name = Cat(graph_.value(from).name, ".selected"),
                         .dtype = graph_.value(from).dtype,
                         .shape = graph_.value(from).shape};
    Node node{.name = value.name, .op = selection.op};
    node.inputs = {from};
    if (selection.op == gather_) {
      node.attrs.Set("axis", axis);
      ASSIGN_OR_RETURN(const ValueId indices, Constant("indices", selection.arguments));
      node.inputs.push_back(indices);
    } else {
      const Ints& a = selection.arguments;
      for (const int64_t argument : {a[0], a[1], axis, a[2]}) {
        ASSIGN_OR_RETURN(const ValueId id, Constant("slice", {argument}));
        node.inputs.push_back(id);
      }
    }
    Shape shape = *value.shape;
    shape[static_cast<size_t>(axis)] = selection.count;
    const ValueId out = edges_.AddValue(value.name, value.dtype, shape);
    node.outputs = {out};
    const int32_t index = edges_.Append(std::move(node));
    made_[{from, axis, what}] = index;
    waiting_.push_back({index, axis, what});
    return out;
  }

  // A node that only names a shape names the new one.
  Status MakeReshape(int32_t index) {
    const Shape shape = *graph_.value(edges_.node(index).outputs[0]).shape;
    ASSIGN_OR_RETURN(const ValueId dims, Constant(Cat(edges_.node(index).name, ".shape"), shape));
    Node& node = edges_.node(index);
    node.op = reshape_;
    node.attrs = {};
    // Past the edges: nobody asks who reads the old shape, and that may be thousands.
    node.inputs = {node.inputs[0], dims};
    return Ok();
  }

  Result<ValueId> Constant(const std::string& name, const Ints& values) {
    ASSIGN_OR_RETURN(Tensor tensor, Tensor::Of(std::span<const int64_t>(values)));
    const ValueId id = edges_.AddValue(name, DType::kS64, tensor.shape());
    graph_.value(id).constant = std::move(tensor);
    return id;
  }

  Graph& graph_;
  Edges edges_;
  const int64_t max_constant_bytes_;
  std::vector<uint32_t> fused_axes_;
  std::vector<Selection> selections_;
  std::map<std::pair<bool, Ints>, size_t> numbers_;
  std::map<std::tuple<ValueId, int64_t, size_t>, int32_t> made_;  // nodes that select
  std::vector<Selector> waiting_;
  const OpDef* const gather_ = FindOp("Gather");
  const OpDef* const slice_ = FindOp("Slice");
  const OpDef* const reshape_ = FindOp("Reshape");
};

}  // namespace

Result<int64_t> PullSelection(Graph& graph, PassContext& context) {
  return Puller(graph, context.options.fold_limit_bytes).Run();
}

}  // namespace intmill
