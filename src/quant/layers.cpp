// DecideLayers: candidates by their operator's rule, then what the neighbours allow.
#include "quant/layers.h"

#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "passes/post_op.h"
#include "quant/attention.h"
#include "quant/insert_weight_only.h"

namespace intmill {
namespace {

// Sums of K products of u8 and s8 stay within 32 bits up to K * 255 * 127 < 2^31.
constexpr int64_t kMaxSummands = 66311;

bool IsProduct(const Node& node) { return node.op->weight_axis != nullptr; }

bool AllFinite(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Of a product with constant weights: the number of products summed into one output element.
int64_t Summands(const Node& node, const Tensor& weight) {
  const int64_t axis = node.op->weight_axis(node, weight.rank());
  if (axis < 0 || axis >= weight.rank() || weight.dim(axis) == 0) return weight.elements();
  return weight.elements() / weight.dim(axis);
}

// Why a product cannot be quantized; "" when it can.
std::string WhyNotProduct(const Graph& graph, const Node& node, const LayerScheme& scheme) {
  if (!HasConstantWeight(graph, node)) return "both of its inputs are computed at run time";
  const Tensor& weight = *graph.ConstantOf(node.inputs[1]);
  if (weight.dtype() != DType::kF32) return "its weights are not f32";
  if (!AllFinite(weight)) return "its weights hold NaN or infinity";
  if (Summands(node, weight) > kMaxSummands)
    return Cat("a sum of ", Summands(node, weight), " products may overflow 32 bits");
  if (BitsOf(scheme.weight_dtype) < 8) return "weights of 4 bits are for weight-only quantization";
  if (scheme.scheme == Scheme::kDynamicRanges && node.op->layout == LayoutRule::kSpatial)
    return "dynamic quantization covers MatMul and Gemm only";
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue && scheme.scheme == Scheme::kStatic) {
    const Tensor* bias = graph.ConstantOf(node.inputs[2]);
    if (bias == nullptr || bias->dtype() != DType::kF32) return "its bias is not an f32 constant";
    if (!AllFinite(*bias)) return "its bias holds NaN or infinity";
    const int64_t axis = node.op->weight_axis(node, weight.rank());
    const int64_t last = bias->rank() > 0 ? bias->dim(bias->rank() - 1) : 1;
    if (bias->elements() != 1 && bias->elements() != last)
      return "its bias is not one value an output channel";
    if (axis < 0 || axis >= weight.rank()) return "its weights have no output-channel axis";
  }
  for (const char* factor : {"alpha", "beta"}) {
    const Result<float> value = node.attrs.Float(factor, 1.0f);
    if (value.ok() && *value != 1.0f) return Cat("its attribute '", factor, "' is not 1");
  }
  return "";
}

constexpr float kLargestF16 = 65504.0f;

std::string WhyNotHalf(const Graph& graph, const Node& node, Scheme scheme) {
  const bool computes = scheme == Scheme::kBf16Compute && IsProduct(node);
  const Result<float> alpha = node.attrs.Float("alpha", 1);
  if (computes && (!alpha.ok() || *alpha != 1)) return "its attribute 'alpha' is not 1";
  const std::optional<size_t> input = WeightInputOf(graph, node);
  if (computes && !input && ActivationInputs(graph, node).size() == 2) return "";
  if (!input) return "its weights are not f32 constants";
  const auto fits = [](float w) { return std::fabs(w) <= kLargestF16; };
  const auto values = graph.ConstantOf(node.inputs[*input])->values<float>();
  if (scheme == Scheme::kFp16 && !std::all_of(values.begin(), values.end(), fits))
    return "its weights do not fit into f16";
  return "";
}

// Why a layer's weights cannot be stored smaller, and nothing else changed; "" when they can.
std::string WhyNotWeightOnly(const Graph& graph, const Node& node, Scheme scheme) {
  if (IsHalf(scheme)) return WhyNotHalf(graph, node, scheme);
  if (IsProduct(node) && !HasConstantWeight(graph, node))
    return "both of its inputs are computed at run time";
  const std::optional<WeightMatrix> matrix = WeightMatrixOf(graph, node);
  if (!matrix) return "weight-only quantization covers MatMul, Gemm and Gather with f32 matrices";
  if (!AllFinite(*graph.ConstantOf(node.inputs[matrix->input])))
    return "its weights hold NaN or infinity";
  return "";
}

// The difference of two measured tensors may be small beside both, and then their rounding errors
// are all that is left of it.
bool IsDifference(const Graph& graph, const Node& node) {
  const auto inputs = ActivationInputs(graph, node);
  const auto measured = std::count_if(
      inputs.begin(), inputs.end(), [&](size_t i) { return IsActivation(graph, node.inputs[i]); });
  return node.op->Has(kElementwise) && !node.op->Has(kCommutative) && measured > 1;
}

bool WritesFloats(const Graph& graph, const Node& node) {
  return !node.outputs.empty() && node.outputs[0] != kNoValue &&
         graph.value(node.outputs[0]).dtype == DType::kF32;
}

class Decider {
 public:
  Decider(const Graph& graph, const SchemeTable& schemes, const FindStatistics& find)
      : graph_(graph), find_(find), uses_(FindUses(graph)), layers_(graph.nodes.size()) {
    for (size_t i = 0; i < graph.nodes.size(); ++i)
      layers_[i].scheme = schemes.For(graph.nodes[i].name);
  }

  std::vector<LayerDecision> Run() {
    for (size_t i = 0; i < layers_.size(); ++i) Propose(i);
    for (const Attention& attention : FindAttention(graph_, uses_)) ProposeAttention(attention);
    for (size_t i = 0; i < layers_.size(); ++i) FuseActivation(i);
    while (DropUnsupported()) {
    }
    for (size_t i = 0; i < layers_.size(); ++i) FuseAdd(i);
    for (size_t i = 0; i < layers_.size(); ++i) KeepRealResult(i);
    return std::move(layers_);
  }

 private:
  const Node& node(size_t i) const { return graph_.nodes[i]; }
  bool IsStatic(int32_t i) const {
    return i != Uses::kNone && layers_[static_cast<size_t>(i)].kind == LayerKind::kStatic;
  }

  // Also tables that Gather reads, which compute nothing but may be most of a model.
  bool ProposeWeightOnly(size_t i) {
    LayerDecision& layer = layers_[i];
    const Scheme scheme = layer.scheme.scheme;
    if (scheme != Scheme::kWeightOnly && !IsHalf(scheme)) return false;
    const bool is_product = IsProduct(node(i)) && WritesFloats(graph_, node(i));
    const bool has_table = IsHalf(scheme) ? WeightInputOf(graph_, node(i)).has_value()
                                          : WeightMatrixOf(graph_, node(i)).has_value();
    if (!is_product && !has_table) return true;
    const std::string reason = layer.scheme.skip ? "left in float by the options"
                                                 : WhyNotWeightOnly(graph_, node(i), scheme);
    layer.kind = LayerKind::kWeightOnly;
    if (!reason.empty()) Reject(i, reason);
    return true;
  }

  void Propose(size_t i) {
    if (ProposeWeightOnly(i)) return;
    LayerDecision& layer = layers_[i];
    const bool moves = node(i).op->quant == QuantRule::kSameScale;
    if (node(i).op->quant == QuantRule::kFloat || !WritesFloats(graph_, node(i))) return;
    const auto inputs = ActivationInputs(graph_, node(i));
    if (std::none_of(inputs.begin(), inputs.end(),
                     [&](size_t k) { return IsActivation(graph_, node(i).inputs[k]); }))
      return;
    if (layer.scheme.skip) {
      if (!moves) Reject(i, "left in float by the options");
      return;
    }
    if (layer.scheme.scheme == Scheme::kStatic && HasUnseenValue(i, inputs))
      return Reject(i, "its values were not seen while calibrating");
    if (IsProduct(node(i))) {
      const std::string reason = WhyNotProduct(graph_, node(i), layer.scheme);
      if (!reason.empty()) return Reject(i, reason);
      layer.kind =
          layer.scheme.scheme == Scheme::kStatic ? LayerKind::kStatic : LayerKind::kDynamicRanges;
    } else if (layer.scheme.activation_dtype == DType::kS16) {
      Reject(i, "16 bits are for the inputs of products");
    } else if (IsDifference(graph_, node(i))) {
      Reject(i, "8 bits are too coarse for a difference");
    } else if (layer.scheme.scheme == Scheme::kStatic) {
      layer.kind = LayerKind::kStatic;
    }
  }

  // Queries, keys and values in integers; scores, and the softmax of them, are real.
  void ProposeAttention(const Attention& attention) {
    for (const int32_t product : {attention.scores, attention.values}) {
      const LayerScheme& scheme = layers_[static_cast<size_t>(product)].scheme;
      const size_t i = static_cast<size_t>(product);
      if (scheme.scheme != Scheme::kStatic || scheme.skip || IsStatic(product) ||
          scheme.activation_dtype == DType::kS16 ||
          HasUnseenValue(i, ActivationInputs(graph_, node(i))))
        return;
    }
    for (const int32_t product : {attention.scores, attention.values}) {
      LayerDecision& layer = layers_[static_cast<size_t>(product)];
      layer.kind = LayerKind::kStatic;
      layer.is_attention = true;
      layer.reason.clear();
    }
    layers_[static_cast<size_t>(attention.scores)].writes_real = true;
    const auto softmax = static_cast<size_t>(attention.softmax);
    Reject(softmax, "its input comes from a float layer");
    layers_[softmax].writes_real = true;
  }

  bool HasUnseenValue(size_t i, const std::vector<size_t>& inputs) const {
    const auto is_unseen = [&](ValueId id) {
      if (!find_ || !IsActivation(graph_, id)) return false;
      const ValueStatistics* seen = find_(graph_.value(id).name);
      return seen != nullptr && seen->count() == 0;
    };
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](size_t k) { return is_unseen(node(i).inputs[k]); }) ||
           std::any_of(node(i).outputs.begin(), node(i).outputs.end(), is_unseen);
  }

  void Reject(size_t i, std::string reason) {
    const bool moves = node(i).op->quant == QuantRule::kSameScale;
    layers_[i].kind = moves ? LayerKind::kNone : LayerKind::kFloat;
    if (!moves) layers_[i].reason = std::move(reason);
  }

  // The one reader of a layer's result is an activation that fuses: the pair counts as one layer.
  void FuseActivation(size_t i) {
    if (layers_[i].kind != LayerKind::kStatic || layers_[i].is_fused_activation ||
        layers_[i].is_attention)
      return;
    const size_t out = static_cast<size_t>(node(i).outputs[0]);
    if (uses_.is_output[out] || uses_.consumers[out].size() != 1) return;
    const int32_t reader = uses_.consumers[out][0];
    const Node& activation = node(static_cast<size_t>(reader));
    LayerDecision& decision = layers_[static_cast<size_t>(reader)];
    if (!activation.op->Has(kActivation) || activation.op->post_op == nullptr) return;
    if (decision.scheme.skip) return;
    const Result<PostOp> post_op = activation.op->post_op(graph_, activation);
    if (!post_op.ok() || !TakesPostOp(*node(i).op, *post_op) || IsCurve(*post_op)) return;
    layers_[i].fused_activation = reader;
    decision.is_fused_activation = true;
    decision.kind = LayerKind::kStatic;
  }

  // Conv -> Add(other): the compiler lets the Conv add `other` before it writes, so the Conv's own
  // result needs no integers. MatMul -> Add(constant): the same, with the constant as a float bias.
  // Names Add, the one operator that is fused so.
  void FuseAdd(size_t i) {
    if (layers_[i].kind != LayerKind::kStatic || node(i).op != FindOp("Add")) return;
    int32_t latest = Uses::kNone;
    for (const size_t side : {0, 1}) {
      const int32_t producer = FusableProduct(node(i).inputs[side]);
      if (producer == Uses::kNone) continue;
      if (IsBias(node(i).inputs[1 - side], node(static_cast<size_t>(producer)))) {
        layers_[i].is_bias = true;
        latest = producer;
      } else if (HaveOneShape(node(i).inputs[0], node(i).inputs[1])) {
        latest = std::max(latest, producer);
      }
    }
    if (latest != Uses::kNone) layers_[static_cast<size_t>(latest)].writes_real = true;
  }

  // The static product with constant weights that makes a value for one reader only.
  int32_t FusableProduct(ValueId id) const {
    const int32_t producer = uses_.producer[static_cast<size_t>(id)];
    const bool fits = IsStatic(producer) &&
                      HasConstantWeight(graph_, node(static_cast<size_t>(producer))) &&
                      uses_.consumers[static_cast<size_t>(id)].size() == 1 &&
                      !uses_.is_output[static_cast<size_t>(id)];
    return fits ? producer : Uses::kNone;
  }

  // One value a column, for a product that has no bias of its own.
  bool IsBias(ValueId id, const Node& product) const {
    const Tensor* bias = graph_.ConstantOf(id);
    const Tensor& weight = *graph_.ConstantOf(product.inputs[1]);
    return bias != nullptr && bias->dtype() == DType::kF32 && product.op->max_inputs == 2 &&
           weight.rank() == 2 && bias->rank() >= 1 && bias->elements() == weight.dim(1) &&
           bias->shape().back() == weight.dim(1);
  }

  bool HaveOneShape(ValueId a, ValueId b) const {
    return a != b && graph_.value(a).shape && graph_.value(a).shape == graph_.value(b).shape;
  }

  void KeepRealResult(size_t i) {
    if (layers_[i].kind != LayerKind::kStatic) return;
    if (layers_[i].fused_activation != LayerDecision::kNoNode) {
      layers_[i].writes_real = true;
      // The pair writes what the activation writes.
      if (!HasQuantizedReader(i))
        layers_[static_cast<size_t>(layers_[i].fused_activation)].writes_real = true;
    } else if (!layers_[i].is_fused_activation && !HasQuantizedReader(i)) {
      layers_[i].writes_real = true;
    }
  }

  // Results by which others read a layer: its own, or those of the activation fused into it.
  const Node& LastOf(size_t i) const {
    const int32_t fused = layers_[i].fused_activation;
    return fused == LayerDecision::kNoNode ? node(i) : node(static_cast<size_t>(fused));
  }

  bool InputsAreQuantized(size_t i) const {
    const bool moves = node(i).op->Has(kMovesData) || node(i).op->Has(kAlias);
    for (const size_t k : ActivationInputs(graph_, node(i))) {
      const ValueId id = node(i).inputs[k];
      if (!IsActivation(graph_, id)) continue;
      const int32_t producer = uses_.producer[static_cast<size_t>(id)];
      // A graph input costs nothing to quantize before it is only moved.
      if (producer == Uses::kNone ? !moves : !WritesIntegers(producer)) return false;
    }
    return true;
  }

  // Scores are real.
  bool WritesIntegers(int32_t i) const {
    const LayerDecision& layer = layers_[static_cast<size_t>(i)];
    return IsStatic(i) && !(layer.is_attention && layer.writes_real);
  }

  bool HasQuantizedReader(size_t i) const {
    for (const ValueId id : LastOf(i).outputs) {
      if (id == kNoValue) continue;
      for (const int32_t reader : uses_.consumers[static_cast<size_t>(id)])
        if (ReadsBytes(static_cast<size_t>(reader), id)) return true;
    }
    return false;
  }

  bool ReadsBytes(size_t i, ValueId id) const {
    if (layers_[i].kind != LayerKind::kStatic || layers_[i].reads_int16()) return false;
    const auto inputs = ActivationInputs(graph_, node(i));
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](size_t k) { return node(i).inputs[k] == id; });
  }

  // One sweep; true when something changed.
  bool DropUnsupported() {
    bool changed = false;
    for (size_t i = 0; i < layers_.size(); ++i) {
      LayerDecision& layer = layers_[i];
      if (layer.kind != LayerKind::kStatic || layer.is_fused_activation || IsProduct(node(i)))
        continue;
      const char* reason = !InputsAreQuantized(i)   ? "its input comes from a float layer"
                           : !HasQuantizedReader(i) ? "its result goes to no quantized layer"
                                                    : nullptr;
      if (reason == nullptr) continue;
      if (layer.fused_activation != LayerDecision::kNoNode) {
        const size_t fused = static_cast<size_t>(layer.fused_activation);
        layers_[fused].is_fused_activation = false;
        Reject(fused, "its input comes from a float layer");
        layer.fused_activation = LayerDecision::kNoNode;
      }
      Reject(i, reason);
      changed = true;
    }
    return changed;
  }

  const Graph& graph_;
  const FindStatistics& find_;
  const Uses uses_;
  std::vector<LayerDecision> layers_;
};

}  // namespace

std::vector<LayerDecision> DecideLayers(const Graph& graph, const SchemeTable& schemes,
                                        const FindStatistics& find) {
  return Decider(graph, schemes, find).Run();
}

bool IsActivation(const Graph& graph, ValueId id) {
  return id != kNoValue && graph.value(id).dtype == DType::kF32 && !graph.value(id).constant;
}

bool HasConstantWeight(const Graph& graph, const Node& node) {
  return node.op->weight_axis != nullptr && node.inputs.size() > 1 &&
         graph.ConstantOf(node.inputs[1]) != nullptr;
}

std::vector<size_t> ActivationInputs(const Graph& graph, const Node& node) {
  std::vector<size_t> inputs;
  const auto add = [&](size_t i) {
    if (i < node.inputs.size() && node.inputs[i] != kNoValue &&
        graph.value(node.inputs[i]).dtype == DType::kF32)
      inputs.push_back(i);
  };
  if (IsProduct(node)) {
    add(0);
    if (!HasConstantWeight(graph, node)) add(1);
    return inputs;
  }
  switch (node.op->quant) {
    case QuantRule::kFloat:
      break;
    case QuantRule::kWeighted:
    case QuantRule::kUnary:
      add(0);
      break;
    case QuantRule::kAllInputs:
      for (size_t i = 0; i < node.inputs.size(); ++i) add(i);
      break;
    case QuantRule::kSameScale:
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (i >= 64 ? node.op->same_scale_inputs == ~uint64_t{0}
                    : (node.op->same_scale_inputs >> i & 1) != 0)
          add(i);
      break;
  }
  return inputs;
}

std::vector<ValueId> ObservableValues(const Graph& graph) {
  std::vector<bool> wanted(graph.values.size());
  const auto want = [&](ValueId id) {
    if (IsActivation(graph, id)) wanted[static_cast<size_t>(id)] = true;
  };
  for (const Node& node : graph.nodes) {
    if (node.op->quant == QuantRule::kFloat && !node.op->Has(kActivation)) continue;
    for (const size_t i : ActivationInputs(graph, node)) want(node.inputs[i]);
    for (const ValueId id : node.outputs) want(id);
  }
  std::vector<ValueId> values;
  for (size_t id = 0; id < wanted.size(); ++id)
    if (wanted[id]) values.push_back(static_cast<ValueId>(id));
  return values;
}

}  // namespace intmill
