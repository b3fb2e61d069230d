// InsertWeightOnly: each layer's matrix in turn; layers that share one share its integers.
#include "quant/insert_weight_only.h"

#include <tuple>
#include <utility>

#include "ir/op.h"
#include "quant/weight_only.h"
#include "tensor/half.h"

namespace intmill {
namespace {

class Inserter {
 public:
  Inserter(Graph& graph, const WeightOnlyLayers& layers, const FindProducts& products,
           const Hooks& hooks)
      : graph_(graph), layers_(layers), products_(products), hooks_(hooks) {}

  Status Run() {
    const size_t count = graph_.nodes.size();
    std::vector<size_t> order;  // what is made for a node comes in front of it
    int64_t done = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto layer = layers_.find(graph_.nodes[i].name);
      const size_t first = graph_.nodes.size();
      if (layer != layers_.end()) {
        TRY(hooks_.Progress("quantize", done++, static_cast<int64_t>(layers_.size())));
        // A copy, as adding nodes moves the others.
        Node node = graph_.nodes[i];
        TRY(Quantize(node, layer->second).At(Place(node)));
        graph_.nodes[i].inputs = std::move(node.inputs);
      }
      for (size_t made = first; made < graph_.nodes.size(); ++made) order.push_back(made);
      order.push_back(i);
    }
    std::vector<Node> nodes;
    for (const size_t index : order) nodes.push_back(std::move(graph_.nodes[index]));
    graph_.nodes = std::move(nodes);
    return Ok();
  }

 private:
  Status Halve(Node& node, Scheme scheme) {
    const std::optional<size_t> input = WeightInputOf(graph_, node);
    if (scheme == Scheme::kBf16Compute && node.op->weight_axis != nullptr)
      for (const size_t i : ActivationInputs(graph_, node)) RoundToBf16(node.inputs[i]);
    if (!input) return Ok();
    ValueId& weight = node.inputs[*input];
    const bool is_fp16 = scheme == Scheme::kFp16;
    auto [made, is_new] =
        made_.try_emplace(Key{weight, -1, DType::kF32, is_fp16, false, kNoValue}, kNoValue);
    if (is_new) {
      const Tensor& floats = *graph_.ConstantOf(weight);
      ASSIGN_OR_RETURN(Tensor halves, is_fp16 ? ToF16(floats) : ToBf16(floats));
      const std::string name = graph_.value(weight).name;
      made->second =
          AddCast(name, graph_.AddConstant(Cat(name, "_", DTypeName(halves.dtype())), halves));
    }
    weight = made->second;
    return Ok();
  }

  // Layers that read the same value share what is made of it.
  void RoundToBf16(ValueId& activation) {
    auto [made, is_new] = rounded_.try_emplace(activation, kNoValue);
    if (is_new) {
      const Value& value = graph_.value(activation);
      const std::string name = value.name;
      const ValueId halves = graph_.AddValue(name + "_bf16", DType::kBf16, value.shape);
      graph_.AddNode(name + "_to_bf16", FindOp("Cast"), {activation}, {halves})
          .attrs.Set("to", int64_t{16});  // bfloat16 in ONNX's numbering
      made->second = AddCast(name, halves);
    }
    activation = made->second;
  }

  // 16-bit floats as f32.
  ValueId AddCast(const std::string& name, ValueId halves) {
    const ValueId wide = graph_.AddValue(name + "_f32", DType::kF32, graph_.value(halves).shape);
    graph_.AddNode(name + "_cast", FindOp("Cast"), {halves}, {wide})
        .attrs.Set("to", int64_t{1});  // float in ONNX's numbering
    return wide;
  }

  Status Quantize(Node& node, const LayerScheme& scheme) {
    if (IsHalf(scheme.scheme)) return Halve(node, scheme.scheme);
    const std::optional<WeightMatrix> matrix = WeightMatrixOf(graph_, node);
    if (!matrix) return Error(Code::kInternal, "has no matrix of weights");
    const ValueId weight = node.inputs[matrix->input];
    const ValueId input = scheme.gptq ? GptqInput(graph_, node) : kNoValue;
    const InputProducts* products = nullptr;
    if (input != kNoValue) {
      ASSIGN_OR_RETURN(products, Products(input));
    }
    const Key key = {
        weight, matrix->line_axis, scheme.weight_dtype, scheme.group_size, scheme.weight_symmetric,
        input};
    auto [made, is_new] = made_.try_emplace(key, kNoValue);
    if (is_new) {
      ASSIGN_OR_RETURN(BlockedWeight blocked, QuantizeBlocks(*graph_.ConstantOf(weight),
                                                             matrix->line_axis, scheme, products));
      made->second = Add(graph_.value(weight).name, std::move(blocked));
    }
    node.inputs[matrix->input] = made->second;
    return Ok();
  }

  Result<const InputProducts*> Products(ValueId input) const {
    const std::string& name = graph_.value(input).name;
    const InputProducts* products = products_ ? products_(name) : nullptr;
    if (products == nullptr)
      return Error(Code::kInvalidArgument, "GPTQ needs data: a calibration of this model that was ",
                   "made with the option gptq, not one from a file");
    if (!products->usable())
      hooks_.Log(LogLevel::kWarning,
                 Cat("'", name,
                     "' holds values that are not finite or too large: weights that it "
                     "is multiplied by are rounded to the nearest"));
    return products;
  }

  // The name is a copy, as adding constants moves values.
  ValueId Add(std::string name, BlockedWeight w) {
    const Shape shape = w.values.shape();
    ValueId scale = graph_.AddConstant(name + "_scale", std::move(w.scales));
    if (graph_.value(scale).dtype == DType::kF16) scale = AddCast(name + "_scale", scale);
    std::vector<ValueId> inputs = {graph_.AddConstant(name + "_quantized", std::move(w.values)),
                                   scale};
    if (w.zero_points.valid())
      inputs.push_back(graph_.AddConstant(name + "_zero_point", std::move(w.zero_points)));
    const ValueId out = graph_.AddValue(name + "_dequantized", DType::kF32, shape);
    Node& node =
        graph_.AddNode(name + "_dequantize", FindOp("DequantizeLinear"), std::move(inputs), {out});
    node.attrs.Set("axis", w.axis);
    if (w.block > 0) node.attrs.Set("block_size", w.block);
    return out;
  }

  using Key = std::tuple<ValueId, int64_t, DType, int64_t, bool, ValueId>;

  Graph& graph_;
  const WeightOnlyLayers& layers_;
  const FindProducts& products_;
  const Hooks& hooks_;
  std::map<Key, ValueId> made_;
  std::map<ValueId, ValueId> rounded_;
};

}  // namespace

WeightOnlyLayers FindWeightOnly(const Graph& graph, const std::vector<LayerDecision>& layers) {
  WeightOnlyLayers found;
  for (size_t i = 0; i < layers.size(); ++i)
    if (layers[i].kind == LayerKind::kWeightOnly)
      found.emplace(graph.nodes[i].name, layers[i].scheme);
  return found;
}

// Names Gather, the one operator that reads a table.
std::optional<WeightMatrix> WeightMatrixOf(const Graph& graph, const Node& node) {
  const auto is_matrix = [&](ValueId id) {
    const Tensor* t = graph.ConstantOf(id);
    return t != nullptr && t->rank() == 2 && t->dtype() == DType::kF32 && t->elements() > 0;
  };
  if (node.op == FindOp("Gather")) {
    const Result<int64_t> axis = node.attrs.Int("axis", 0);
    if (!is_matrix(node.inputs[0]) || !axis.ok() || (*axis != 0 && *axis != -2)) return {};
    return WeightMatrix{.input = 0, .line_axis = 0};
  }
  if (!HasConstantWeight(graph, node) || !is_matrix(node.inputs[1]) ||
      node.op->layout == LayoutRule::kSpatial)
    return {};
  return WeightMatrix{.input = 1, .line_axis = node.op->weight_axis(node, 2)};
}

std::optional<size_t> WeightInputOf(const Graph& graph, const Node& node) {
  const std::optional<size_t> input = node.op == FindOp("Gather")      ? std::optional<size_t>(0)
                                      : HasConstantWeight(graph, node) ? std::optional<size_t>(1)
                                                                       : std::nullopt;
  const Tensor* weight = input ? graph.ConstantOf(node.inputs[*input]) : nullptr;
  if (weight == nullptr || weight->dtype() != DType::kF32) return {};
  return input;
}

bool IsHalf(Scheme scheme) {
  return scheme == Scheme::kFp16 || scheme == Scheme::kBf16 || scheme == Scheme::kBf16Compute;
}

ValueId GptqInput(const Graph& graph, const Node& node) {
  const std::optional<WeightMatrix> matrix = WeightMatrixOf(graph, node);
  const Result<int64_t> trans_a = node.attrs.Int("transA", 0);
  const bool fits = matrix && matrix->input == 1 && trans_a.ok() && *trans_a == 0 &&
                    IsActivation(graph, node.inputs[0]);
  return fits ? node.inputs[0] : kNoValue;
}

Status InsertWeightOnly(Graph& graph, const WeightOnlyLayers& layers, const FindProducts& products,
                        const Hooks& hooks) {
  return layers.empty() ? Ok() : Inserter(graph, layers, products, hooks).Run();
}

}  // namespace intmill
