// fuse_layer_norm: a layer normalization in pieces, as exporters wrote it before opset 17, becomes
// LayerNormalization over the last axis:
//   c = x - ReduceMean(x); y = c / Sqrt(ReduceMean(c^2) + epsilon) * scale + bias
// or, as TensorFlow has it,
//   r = Reciprocal(Sqrt(ReduceMean(c^2) + epsilon)) * scale; y = x * r + (bias - ReduceMean(x) * r)
// This file names the operators. Pieces that others read stay; the rest is left to be pruned.
#include <algorithm>
#include <optional>
#include <utility>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"

namespace intmill {
namespace {

class LayerNormFuser {
 public:
  explicit LayerNormFuser(Graph& graph) : graph_(graph), edges_(graph) {}

  Result<int64_t> Run() {
    int64_t fused = 0;
    for (int32_t i = 0; i < edges_.size(); ++i) {
      const Node& node = edges_.node(i);
      if (node.op == div_) {
        const std::optional<Core> core = FindCore(node);
        if (!core) continue;
        TRY(Fuse(i, *core));
        ++fused;
      } else if (std::optional<Scaled> scaled = node.op == add_ ? FindScaled(node) : std::nullopt) {
        BecomeNorm(i, scaled->core, std::move(scaled->scale), std::move(scaled->bias));
        ++fused;
      }
    }
    return fused;
  }

 private:
  struct Core {
    ValueId x = kNoValue;
    float epsilon = 0;
    int64_t length = 0;  // of the last axis
  };
  struct Scaled {
    Core core;
    Tensor scale;
    Tensor bias;
  };

  // The node of this operator that makes a value, or null.
  const Node* Maker(ValueId id, const OpDef* op) {
    const int32_t producer = edges_.Producer(id);
    return producer == Uses::kNone || edges_.node(producer).op != op ? nullptr
                                                                     : &edges_.node(producer);
  }

  std::optional<float> Number(ValueId id) const {
    const Tensor* constant = graph_.ConstantOf(id);
    if (constant == nullptr || constant->dtype() != DType::kF32 || constant->elements() != 1)
      return {};
    return constant->data<float>()[0];
  }

  // What is averaged over the last axis alone, which stays as 1.
  std::optional<ValueId> Averaged(ValueId id) {
    const Node* mean = Maker(id, mean_);
    if (mean == nullptr || mean->inputs.size() < 2) return {};
    const Tensor* axes = graph_.ConstantOf(mean->inputs[1]);
    const std::optional<Shape>& shape = graph_.value(mean->inputs[0]).shape;
    const Result<int64_t> keeps = mean->attrs.Int("keepdims", 1);
    if (axes == nullptr || !shape || shape->empty() || !keeps.ok() || *keeps != 1) return {};
    const Result<std::vector<int64_t>> values = ToInts(*axes);
    const auto last = static_cast<int64_t>(shape->size()) - 1;
    if (!values.ok() || values->size() != 1 || ((*values)[0] != -1 && (*values)[0] != last))
      return {};
    return mean->inputs[0];
  }

  // x, of x - mean(x).
  std::optional<ValueId> Centered(ValueId id) {
    const Node* sub = Maker(id, sub_);
    if (sub == nullptr) return {};
    const std::optional<ValueId> x = Averaged(sub->inputs[1]);
    return x && *x == sub->inputs[0] ? x : std::nullopt;
  }

  // What is squared.
  std::optional<ValueId> Squared(ValueId id) {
    if (const Node* pow = Maker(id, pow_))
      return Number(pow->inputs[1]) == 2.0f ? std::optional(pow->inputs[0]) : std::nullopt;
    const Node* mul = Maker(id, mul_);
    return mul != nullptr && mul->inputs[0] == mul->inputs[1] ? std::optional(mul->inputs[0])
                                                              : std::nullopt;
  }

  std::optional<Core> FindCore(const Node& div) {
    const std::optional<ValueId> x = Centered(div.inputs[0]);
    const std::optional<Core> core = Deviation(div.inputs[1]);
    return core && x == core->x ? core : std::nullopt;
  }

  // Of Sqrt(ReduceMean((x - ReduceMean(x))^2) + epsilon).
  std::optional<Core> Deviation(ValueId id) {
    const Node* root = Maker(id, sqrt_);
    const Node* sum = root == nullptr ? nullptr : Maker(root->inputs[0], add_);
    if (sum == nullptr) return {};
    const size_t side = Number(sum->inputs[1]) ? 1 : 0;
    const std::optional<float> epsilon = Number(sum->inputs[side]);
    const std::optional<ValueId> square = Averaged(sum->inputs[1 - side]);
    const std::optional<ValueId> centered = square ? Squared(*square) : std::nullopt;
    const std::optional<ValueId> x = centered ? Centered(*centered) : std::nullopt;
    if (!epsilon || !x) return {};
    const int64_t length = graph_.value(*x).shape->back();
    if (graph_.value(*x).dtype != DType::kF32 || length <= 0) return {};
    return Core{.x = *x, .epsilon = *epsilon, .length = length};
  }

  // The other factor, of a product of `id` and something.
  std::optional<ValueId> Times(ValueId product, ValueId id) {
    const Node* mul = Maker(product, mul_);
    if (mul == nullptr) return {};
    if (mul->inputs[1] == id) return mul->inputs[0];
    return mul->inputs[0] == id ? std::optional(mul->inputs[1]) : std::nullopt;
  }

  // x * r + (bias - mean * r), each sum and product in either order.
  std::optional<Scaled> FindScaled(const Node& add) {
    for (const size_t side : {0, 1}) {
      const Node* shift = Maker(add.inputs[1 - side], sub_);
      const Node* product = Maker(add.inputs[side], mul_);
      if (shift == nullptr || product == nullptr) continue;
      for (const size_t factor : {0, 1}) {
        const ValueId r = product->inputs[factor];
        const std::optional<ValueId> mean = Times(shift->inputs[1], r);
        if (!mean || Averaged(*mean) != product->inputs[1 - factor]) continue;
        if (auto scaled = ScaledBy(r, product->inputs[1 - factor], shift->inputs[0])) return scaled;
      }
    }
    return {};
  }

  std::optional<Scaled> ScaledBy(ValueId r, ValueId x, ValueId bias) {
    const Node* mul = Maker(r, mul_);
    if (mul == nullptr) return {};
    const size_t side = graph_.ConstantOf(mul->inputs[1]) != nullptr ? 1 : 0;
    const Node* reciprocal = Maker(mul->inputs[1 - side], reciprocal_);
    const std::optional<Core> core =
        reciprocal == nullptr ? std::nullopt : Deviation(reciprocal->inputs[0]);
    if (!core || core->x != x) return {};
    std::optional<Tensor> scale_row = Row(mul->inputs[side], *core);
    std::optional<Tensor> bias_row = Row(bias, *core);
    if (!scale_row || !bias_row) return {};
    return Scaled{*core, *std::move(scale_row), *std::move(bias_row)};
  }

  // A constant with one number for each element of the last axis, and of no higher rank than x.
  std::optional<Tensor> Row(ValueId id, const Core& core) const {
    const Tensor* row = graph_.ConstantOf(id);
    if (row == nullptr || row->dtype() != DType::kF32 || row->rank() < 1 ||
        row->elements() != core.length || row->dim(row->rank() - 1) != core.length ||
        row->rank() > static_cast<int64_t>(graph_.value(core.x).shape->size()))
      return {};
    Result<Tensor> flat = row->Reshaped({core.length});
    return flat.ok() ? std::optional(*std::move(flat)) : std::nullopt;
  }

  // The constant row that the only reader of `id` takes together with it, and that reader.
  std::optional<std::pair<Tensor, int32_t>> RowBeside(ValueId id, const OpDef* op,
                                                      const Core& core) {
    const int32_t reader = edges_.SoleReader(id);
    if (reader == Uses::kNone || edges_.node(reader).op != op) return {};
    const Node& node = edges_.node(reader);
    std::optional<Tensor> row = Row(node.inputs[node.inputs[0] == id ? 1 : 0], core);
    if (!row) return {};
    return std::pair(*std::move(row), reader);
  }

  Status Fuse(int32_t div, const Core& core) {
    int32_t last = div;
    ASSIGN_OR_RETURN(Tensor scale, Tensor::Make(DType::kF32, {core.length}));
    std::fill_n(scale.mutable_data<float>(), core.length, 1.0f);
    std::optional<Tensor> bias;
    if (auto row = RowBeside(edges_.node(last).outputs[0], mul_, core)) {
      scale = std::move(row->first);
      last = row->second;
    }
    if (auto row = RowBeside(edges_.node(last).outputs[0], add_, core)) {
      bias = std::move(row->first);
      last = row->second;
    }
    BecomeNorm(last, core, std::move(scale), std::move(bias));
    return Ok();
  }

  void BecomeNorm(int32_t index, const Core& core, Tensor scale, std::optional<Tensor> bias) {
    const std::string name = edges_.node(index).name;
    std::vector<ValueId> inputs = {core.x, Constant(name + "_scale", std::move(scale))};
    if (bias) inputs.push_back(Constant(name + "_bias", *std::move(bias)));
    Node& node = edges_.node(index);
    node.op = norm_;
    node.attrs = {};
    node.attrs.Set("axis", int64_t{-1});
    node.attrs.Set("epsilon", core.epsilon);
    node.inputs.resize(inputs.size(), kNoValue);
    for (size_t i = 0; i < inputs.size(); ++i) edges_.SetInput(index, i, inputs[i]);
  }

  ValueId Constant(const std::string& name, Tensor tensor) {
    const ValueId id = edges_.AddValue(name, DType::kF32, tensor.shape());
    graph_.value(id).constant = std::move(tensor);
    return id;
  }

  Graph& graph_;
  Edges edges_;
  const OpDef* const add_ = FindOp("Add");
  const OpDef* const div_ = FindOp("Div");
  const OpDef* const mean_ = FindOp("ReduceMean");
  const OpDef* const mul_ = FindOp("Mul");
  const OpDef* const norm_ = FindOp("LayerNormalization");
  const OpDef* const pow_ = FindOp("Pow");
  const OpDef* const reciprocal_ = FindOp("Reciprocal");
  const OpDef* const sqrt_ = FindOp("Sqrt");
  const OpDef* const sub_ = FindOp("Sub");
};

}  // namespace

Result<int64_t> FuseLayerNorm(Graph& graph, PassContext&) { return LayerNormFuser(graph).Run(); }

}  // namespace intmill
