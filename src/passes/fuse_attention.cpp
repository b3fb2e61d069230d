// fuse_attention: on integers, once Q and DQ are folded,
//   MatMul(Softmax(MatMul(q, k)), DequantizeLinear(v)) -> QuantizeLinear
// becomes QuantizedAttention(q, k, v), with the scale and the mask that the Softmax has, and with
// the Transposes between projections and heads as strides. This file names the operators.
#include <algorithm>
#include <optional>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

using Order = std::vector<int64_t>;

// [batch, tokens, heads, elements] to [batch, heads, tokens, elements], and back.
const Order kSwapHeads = {0, 2, 1, 3};
// The same to [batch, heads, elements, tokens], and what does so to [batch, heads, tokens,
// elements].
const Order kTurnKeys = {0, 2, 3, 1};
const Order kTurnHeads = {0, 1, 3, 2};

class AttentionFuser {
 public:
  explicit AttentionFuser(Graph& graph) : graph_(graph), edges_(graph) {}

  int64_t Run() {
    int64_t fused = 0;
    const int32_t nodes = edges_.size();
    for (int32_t i = 0; i < nodes; ++i)
      if (!edges_.IsDead(i) && edges_.node(i).op == matmul_ && Fuse(i)) ++fused;
    edges_.Sweep();
    return fused;
  }

 private:
  // Two products, what is between them, and what v and the result are in integers.
  struct Match {
    int32_t scores = Uses::kNone;
    int32_t softmax = Uses::kNone;
    QuantizedValue v;
    QuantizedValue out;  // id kNoValue: stays in float
  };

  bool IsByte(ValueId id, DType dtype) const {
    const Value& value = graph_.value(id);
    return value.dtype == dtype && value.qparams != nullptr && value.qparams->per_tensor() &&
           value.shape && value.shape->size() == 4 && !value.constant;
  }
  bool IsSymmetric(ValueId id) const {
    return IsByte(id, DType::kS8) && graph_.value(id).qparams->zero_points[0] == 0;
  }

  bool WorksOnRows(const Node& node) const {
    const Result<int64_t> axis = node.attrs.Int("axis", -1);
    return (node.op == softmax_ || node.op == masked_) && node.post_ops.empty() && axis.ok() &&
           (*axis == -1 || *axis == 3) && !node.attrs.Has("flattens");
  }

  bool MeaningFits(const QuantizedValue& q) const {
    const QParamsPtr& known = graph_.value(q.id).qparams;
    return IsActivation(q) && (known == nullptr || *known == *q.qparams);
  }

  std::optional<Match> Find(int32_t values) {
    const Node& node = edges_.node(values);
    Match m;
    m.softmax = edges_.Producer(node.inputs[0]);
    if (m.softmax == Uses::kNone || edges_.SoleReader(node.inputs[0]) != values ||
        !node.post_ops.empty() || !WorksOnRows(edges_.node(m.softmax)))
      return {};
    const ValueId scores = edges_.node(m.softmax).inputs[0];
    m.scores = edges_.Producer(scores);
    if (m.scores == Uses::kNone || edges_.SoleReader(scores) != m.softmax ||
        edges_.node(m.scores).op != matmul_ || !edges_.node(m.scores).post_ops.empty())
      return {};
    const std::optional<QuantizedValue> v = edges_.Dequantized(node.inputs[1]);
    const ValueId queries = edges_.node(m.scores).inputs[0];
    if ((!IsByte(queries, DType::kU8) && !IsByte(queries, DType::kS8)) ||
        !IsSymmetric(edges_.node(m.scores).inputs[1]) || !v || !MeaningFits(*v) ||
        v->qparams->dtype != DType::kS8 || v->qparams->zero_points[0] != 0)
      return {};
    const std::optional<Shape>& shape = graph_.value(v->id).shape;
    // Batches and heads that are stretched are rare, and left alone.
    const Shape& q = *graph_.value(edges_.node(m.scores).inputs[0]).shape;
    const Shape& k = *graph_.value(edges_.node(m.scores).inputs[1]).shape;
    if (graph_.ConstantOf(v->id) != nullptr || !shape || shape->size() != 4) return {};
    for (const size_t d : {0, 1})
      if (k[d] != q[d] || (*shape)[d] != q[d]) return {};
    m.v = *v;
    const std::optional<QuantizedValue> out = edges_.Quantized(node.outputs[0]);
    if (out && IsActivation(*out)) m.out = *out;
    return m;
  }

  // What a Transpose in this order reads to make the value.
  std::optional<ValueId> Before(ValueId id, const Order& order) {
    const int32_t producer = edges_.Producer(id);
    if (producer == Uses::kNone || edges_.node(producer).op != transpose_) return {};
    const Result<Order> found = edges_.node(producer).attrs.Ints("perm", {});
    if (!found.ok() || *found != order) return {};
    return edges_.node(producer).inputs[0];
  }

  ValueId Take(Node& node, ValueId id, const Order& order, const char* attribute, int64_t form) {
    const std::optional<ValueId> before = Before(id, order);
    if (!before) return id;
    if (graph_.value(*before).qparams == nullptr)
      graph_.value(*before).qparams = graph_.value(id).qparams;
    node.attrs.Set(attribute, form);
    return *before;
  }

  bool Fuse(int32_t index) {
    const std::optional<Match> match = Find(index);
    if (!match) return false;
    const Node& softmax = edges_.node(match->softmax);
    Node node{.name = edges_.node(index).name, .op = attention_};
    const std::vector<ValueId> product = edges_.node(match->scores).inputs;
    graph_.value(match->v.id).qparams = match->v.qparams;
    node.inputs = {Take(node, product[0], kSwapHeads, "q_form", 1), product[1],
                   Take(node, match->v.id, kSwapHeads, "v_form", 1)};
    node.inputs[1] = Take(node, node.inputs[1], kTurnKeys, "k_form", 1);
    if (!node.attrs.Has("k_form")) {
      node.inputs[1] = Take(node, node.inputs[1], kTurnHeads, "k_form", 2);
      if (node.attrs.Has("k_form"))
        node.inputs[1] = Take(node, node.inputs[1], kSwapHeads, "k_form", 1);
    }
    if (softmax.inputs.size() > 1) node.inputs.push_back(softmax.inputs[1]);
    const Result<float> scale = softmax.attrs.Float("scale", 1);
    node.attrs.Set("scale", scale.ok() ? *scale : 1.0f);
    node.outputs = edges_.node(index).outputs;
    if (match->out.id != kNoValue) {
      graph_.value(match->out.id).qparams = match->out.qparams;
      node.outputs = {match->out.id};
      edges_.Kill(match->out.node);
    }
    TakeTranspose(node);
    for (const int32_t dead : {match->scores, match->softmax}) edges_.Kill(dead);
    Replace(index, std::move(node));
    return true;
  }

  // The Transpose that alone reads the result.
  void TakeTranspose(Node& node) {
    const int32_t reader = edges_.SoleReader(node.outputs[0]);
    if (reader == Uses::kNone || edges_.node(reader).op != transpose_) return;
    const Result<Order> order = edges_.node(reader).attrs.Ints("perm", {});
    if (!order.ok() || *order != kSwapHeads) return;
    const ValueId out = edges_.node(reader).outputs[0];
    if (graph_.value(out).qparams == nullptr)
      graph_.value(out).qparams = graph_.value(node.outputs[0]).qparams;
    node.outputs = {out};
    node.attrs.Set("out_form", int64_t{1});
    edges_.Kill(reader);
  }

  // Through the edges, so that they know the new readers.
  void Replace(int32_t index, Node node) {
    const std::vector<ValueId> inputs = std::move(node.inputs);
    for (size_t i = 0; i < edges_.node(index).inputs.size(); ++i)
      edges_.SetInput(index, i, kNoValue);
    node.inputs.assign(inputs.size(), kNoValue);
    edges_.node(index) = std::move(node);
    for (size_t i = 0; i < inputs.size(); ++i) edges_.SetInput(index, i, inputs[i]);
    edges_.SetProducer(edges_.node(index).outputs[0], index);
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const matmul_ = FindOp("MatMul");
  const OpDef* const softmax_ = FindOp("Softmax");
  const OpDef* const masked_ = FindOp("MaskedSoftmax", "intmill");
  const OpDef* const transpose_ = FindOp("Transpose");
  const OpDef* const attention_ = FindOp("QuantizedAttention", "intmill");
};

}  // namespace

Result<int64_t> FuseAttention(Graph& graph, PassContext&) {
  const int64_t fused = AttentionFuser(graph).Run();
  if (fused > 0) TRY(SortTopologically(graph));
  return fused;
}

}  // namespace intmill
