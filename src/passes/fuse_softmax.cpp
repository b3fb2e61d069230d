// fuse_softmax: the scale and the mask of attention become part of the Softmax that reads them:
//   Softmax(Add(Div(x, 8), mask)) and its like become MaskedSoftmax(x, mask) with scale = 1 / 8
// This file names the operators. Either may be missing; the mask stretches to x, not along rows.
#include <optional>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

class SoftmaxFuser {
 public:
  explicit SoftmaxFuser(Graph& graph) : graph_(graph), edges_(graph) {}

  int64_t Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < edges_.size(); ++i) {
      if (edges_.node(i).op != softmax_ || !WorksOnRows(edges_.node(i))) continue;
      const int64_t taken = TakeMask(i) + TakeScale(i);
      if (taken > 0) edges_.node(i).op = masked_;
      fused += taken;
    }
    edges_.Sweep();
    return fused;
  }

 private:
  const std::optional<Shape>& ShapeOf(ValueId id) const { return graph_.value(id).shape; }

  bool WorksOnRows(const Node& node) const {
    const std::optional<Shape>& x = ShapeOf(node.inputs[0]);
    const Result<int64_t> axis = node.attrs.Int("axis", -1);
    if (!x || x->empty() || !IsStatic(*x) || !axis.ok() || node.attrs.Has("flattens")) return false;
    return *axis == -1 || *axis == static_cast<int64_t>(x->size()) - 1;
  }

  // The node that makes input 0 for this softmax alone, of floats and with nothing fused into it.
  std::optional<int32_t> Before(int32_t softmax) {
    const ValueId x = edges_.node(softmax).inputs[0];
    const int32_t producer = edges_.Producer(x);
    if (producer == Uses::kNone || edges_.SoleReader(x) != softmax) return {};
    const Node& node = edges_.node(producer);
    if (!node.post_ops.empty() || node.inputs.size() != 2) return {};
    for (const ValueId id : node.inputs)
      if (graph_.value(id).dtype != DType::kF32) return {};
    return producer;
  }

  bool IsMask(ValueId mask, const Shape& x) const {
    const std::optional<Shape>& shape = ShapeOf(mask);
    if (!shape || shape->empty() || !IsStatic(*shape) || shape->back() != x.back()) return false;
    const Result<Shape> joined = BroadcastShapes(*shape, x);
    return joined.ok() && *joined == x;
  }

  int64_t TakeMask(int32_t softmax) {
    const std::optional<int32_t> add = Before(softmax);
    if (!add || edges_.node(*add).op != add_) return 0;
    const std::vector<ValueId> inputs = edges_.node(*add).inputs;
    const Shape x = *ShapeOf(edges_.node(softmax).inputs[0]);
    // Where both have the shape of the sum, the constant one, or the second.
    const bool first_is_mask = IsMask(inputs[0], x) && ShapeOf(inputs[1]) == x &&
                               (ShapeOf(inputs[0]) != x || graph_.ConstantOf(inputs[0]) != nullptr);
    const size_t mask = first_is_mask ? 0 : 1;
    if (!IsMask(inputs[mask], x) || ShapeOf(inputs[1 - mask]) != x) return 0;
    edges_.node(softmax).inputs.resize(2, kNoValue);
    edges_.SetInput(softmax, 0, inputs[1 - mask]);
    edges_.SetInput(softmax, 1, inputs[mask]);
    edges_.Kill(*add);
    return 1;
  }

  std::optional<float> Number(ValueId id) const {
    const Tensor* constant = graph_.ConstantOf(id);
    if (constant == nullptr || constant->elements() != 1) return {};
    return constant->data<float>()[0];
  }

  int64_t TakeScale(int32_t softmax) {
    const std::optional<int32_t> before = Before(softmax);
    if (!before) return 0;
    const OpDef* op = edges_.node(*before).op;
    const std::vector<ValueId> inputs = edges_.node(*before).inputs;
    if (op != mul_ && op != div_) return 0;
    const size_t side = op == mul_ && Number(inputs[0]) ? 0 : 1;
    const std::optional<float> number = Number(inputs[side]);
    if (!number || ShapeOf(inputs[1 - side]) != ShapeOf(edges_.node(softmax).inputs[0])) return 0;
    edges_.node(softmax).attrs.Set("scale", op == mul_ ? *number : 1.0f / *number);
    edges_.SetInput(softmax, 0, inputs[1 - side]);
    edges_.Kill(*before);
    return 1;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const add_ = FindOp("Add");
  const OpDef* const div_ = FindOp("Div");
  const OpDef* const mul_ = FindOp("Mul");
  const OpDef* const softmax_ = FindOp("Softmax");
  const OpDef* const masked_ = FindOp("MaskedSoftmax", "intmill");
};

}  // namespace

Result<int64_t> FuseSoftmax(Graph& graph, PassContext&) { return SoftmaxFuser(graph).Run(); }

}  // namespace intmill
