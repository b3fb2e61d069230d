// fold_qdq: DequantizeLinear -> operator -> QuantizeLinear becomes the operator on integers. Values
// carry what their integers mean; which kernel computes with them is the plan's business.
#include <algorithm>
#include <cstring>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

bool SameTensor(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() &&
         std::memcmp(a.data<void>(), b.data<void>(), static_cast<size_t>(a.bytes())) == 0;
}

// The constant in these integers, when they stand for exactly the same numbers.
std::optional<Tensor> Exactly(const Tensor& constant, const QParams& q) {
  Result<Tensor> integers = Quantize(constant, q);
  if (!integers.ok()) return {};
  const Result<Tensor> back = Dequantize(*integers);
  if (!back.ok() || !SameTensor(*back, constant)) return {};
  integers->set_qparams(nullptr);
  return *std::move(integers);
}

// One positive number is exactly 1 times itself, zero is 0 times 1.
QParamsPtr QParamsOfNumber(float number) {
  auto q = std::make_shared<QParams>();
  q->dtype = DType::kS8;
  q->scales = {number == 0 ? 1 : std::abs(number)};
  q->zero_points = {0};
  return CheckQParams(*q).ok() ? q : nullptr;
}

class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph), edges_(graph) {}

  int64_t Run() {
    int64_t folded = 0;
    for (int32_t i = 0; i < edges_.size(); ++i)
      if (Fold(i)) ++folded;
    edges_.Sweep();
    return folded;
  }

 private:
  // Inputs and outputs as the folded node will have them; id kNoValue: stays as it is.
  struct Plan {
    std::vector<QuantizedValue> inputs;
    std::vector<QuantizedValue> outputs;
  };

  bool Fold(int32_t index) {
    if (edges_.IsDead(index)) return false;
    const Node& node = edges_.node(index);
    if (node.op->quant == QuantRule::kFloat) return false;
    Plan plan = Look(node);
    const bool fits = node.op->quant == QuantRule::kWeighted    ? WeightedFits(node, plan)
                      : node.op->quant == QuantRule::kSameScale ? SameScaleFits(node, plan)
                                                                : AllFit(node, plan);
    if (!fits || !MeaningsFit(plan)) return false;
    Apply(index, plan);
    return true;
  }

  Plan Look(const Node& node) const {
    Plan plan;
    for (const ValueId id : node.inputs)
      plan.inputs.push_back(id == kNoValue ? QuantizedValue{}
                                           : edges_.Dequantized(id).value_or(QuantizedValue{}));
    for (const ValueId id : node.outputs)
      plan.outputs.push_back(id == kNoValue ? QuantizedValue{}
                                            : edges_.Quantized(id).value_or(QuantizedValue{}));
    return plan;
  }

  bool IsFloat(ValueId id) const { return id != kNoValue && graph_.value(id).dtype == DType::kF32; }

  // A value can be read through two DequantizeLinear with different parameters, but carries one
  // meaning. Constants are copied for a second one.
  bool MeaningsFit(const Plan& plan) const {
    const auto fits = [&](const QuantizedValue& q) {
      if (q.id == kNoValue || graph_.ConstantOf(q.id) != nullptr) return true;
      const QParamsPtr& known = graph_.value(q.id).qparams;
      const auto agrees = [&](const QuantizedValue& other) {
        return other.id != q.id || SameMeaning(other, q);
      };
      return (known == nullptr || *known == *q.qparams) && std::ranges::all_of(plan.inputs, agrees);
    };
    return std::ranges::all_of(plan.inputs, fits) && std::ranges::all_of(plan.outputs, fits);
  }

  // Integer activations and constant integer weights, or two activations; a float bias, residual
  // or output may stay.
  bool WeightedFits(const Node& node, Plan& plan) {
    if (!IsActivation(plan.inputs[0]) || !WeightsFold(graph_, node, plan.inputs[1])) return false;
    if (!IsActivation(plan.outputs[0])) plan.outputs[0] = {};
    if (node.op->max_inputs > 2 && node.inputs.size() > 2 && node.inputs[2] != kNoValue &&
        !BiasFits(node, plan.inputs[2]))
      return false;
    ChooseAddends(node, plan);
    return true;
  }

  // 32-bit integers, or numbers known now.
  bool BiasFits(const Node& node, QuantizedValue& bias) const {
    const bool is_integer = bias.id != kNoValue && bias.qparams->dtype == DType::kS32 &&
                            graph_.ConstantOf(bias.id) != nullptr;
    if (is_integer) return true;
    bias = {};
    return graph_.ConstantOf(node.inputs[2]) != nullptr;
  }

  // One residual may be integers where nothing but clamps and rounding follows; kernels add it in
  // its own scale.
  void ChooseAddends(const Node& node, Plan& plan) const {
    int64_t addends = 0;
    bool only_clamps = plan.outputs[0].id != kNoValue;
    for (const PostOp& op : node.post_ops) {
      if (op.kind == PostOp::Kind::kAdd) ++addends;
      only_clamps &= op.kind == PostOp::Kind::kAdd || op.kind == PostOp::Kind::kRelu ||
                     op.kind == PostOp::Kind::kClip;
    }
    for (const PostOp& op : node.post_ops) {
      if (op.kind != PostOp::Kind::kAdd) continue;
      QuantizedValue& addend = plan.inputs[static_cast<size_t>(op.input)];
      if (addends > 1 || !only_clamps || !IsActivation(addend)) addend = {};
    }
  }

  // Every float input and output is an integer activation.
  bool AllFit(const Node& node, Plan& plan) {
    const bool is_unary = node.op->quant == QuantRule::kUnary;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (is_unary && i > 0) {
        plan.inputs[i] = {};  // the bounds of a Clip are parameters, not activations
        continue;
      }
      if (!IsFloat(node.inputs[i]) || IsActivation(plan.inputs[i])) continue;
      const Tensor* constant = graph_.ConstantOf(node.inputs[i]);
      if (constant == nullptr || constant->elements() != 1) return false;
      plan.inputs[i] = AsIntegers(node.inputs[i], QParamsOfNumber(constant->data<float>()[0]));
      if (plan.inputs[i].id == kNoValue) return false;
    }
    return !plan.inputs.empty() && IsActivation(plan.inputs[0]) && AllQuantized(plan);
  }

  // One scale for the inputs that carry it and for all outputs.
  bool SameScaleFits(const Node& node, Plan& plan) {
    if (plan.outputs.empty() || !AllQuantized(plan)) return false;
    const QuantizedValue& q = plan.outputs[0];
    const auto same = [&](const QuantizedValue& other) { return SameMeaning(other, q); };
    if (!std::ranges::all_of(plan.outputs, same)) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!CarriesScale(*node.op, i) || !IsFloat(node.inputs[i])) {
        plan.inputs[i] = {};
        continue;
      }
      if (!IsActivation(plan.inputs[i])) plan.inputs[i] = AsIntegers(node.inputs[i], q.qparams);
      if (plan.inputs[i].id == kNoValue || !same(plan.inputs[i])) return false;
    }
    return true;
  }

  static bool AllQuantized(const Plan& plan) {
    return std::ranges::all_of(plan.outputs, IsActivation);
  }

  // A float constant as a new integer one; nothing when that would change it.
  QuantizedValue AsIntegers(ValueId id, QParamsPtr q) {
    const Tensor* constant = graph_.ConstantOf(id);
    if (constant == nullptr || q == nullptr || constant->dtype() != DType::kF32) return {};
    std::optional<Tensor> integers = Exactly(*constant, *q);
    if (!integers) return {};
    const ValueId added =
        edges_.AddValue(Cat(graph_.value(id).name, ".q"), q->dtype, integers->shape());
    graph_.value(added).constant = *std::move(integers);
    return {added, std::move(q)};
  }

  void Apply(int32_t index, const Plan& plan) {
    for (size_t i = 0; i < plan.inputs.size(); ++i)
      if (plan.inputs[i].id != kNoValue) edges_.SetInput(index, i, Adopt(plan.inputs[i]));
    for (size_t i = 0; i < plan.outputs.size(); ++i) {
      if (plan.outputs[i].id == kNoValue) continue;
      edges_.Kill(plan.outputs[i].node);
      edges_.node(index).outputs[i] = Adopt(plan.outputs[i]);
      edges_.SetProducer(plan.outputs[i].id, index);
    }
  }

  ValueId Adopt(const QuantizedValue& q) {
    Value& value = graph_.value(q.id);
    if (value.qparams == nullptr || *value.qparams == *q.qparams) {
      value.qparams = q.qparams;
      return q.id;
    }
    const ValueId copy = edges_.AddValue(value.name, value.dtype, value.shape);
    graph_.value(copy).constant = graph_.value(q.id).constant;
    graph_.value(copy).qparams = q.qparams;
    return copy;
  }

  Graph& graph_;
  Edges edges_;
};

}  // namespace

Result<int64_t> FoldQdq(Graph& graph, PassContext&) { return Folder(graph).Run(); }

}  // namespace intmill
