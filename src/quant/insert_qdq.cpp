// InsertQdq: activations first, then weights and biases layer by layer, then the order of nodes.
#include "quant/insert_qdq.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "ir/op.h"
#include "quant/expected_channels.h"
#include "quant/weights.h"
#include "tensor/quantize.h"

namespace intmill {
namespace {

// A scalar for per-tensor parameters, a list otherwise.
Result<Tensor> ScaleTensor(const QParams& q) {
  if (q.per_tensor()) return Tensor::Scalar(q.scales[0]);
  return Tensor::Of(std::span<const float>(q.scales));
}

Result<Tensor> ZeroPointTensor(const QParams& q) {
  const Shape shape = q.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(q.scales.size())};
  ASSIGN_OR_RETURN(Tensor tensor, Tensor::Make(q.dtype, shape));
  for (size_t i = 0; i < q.zero_points.size(); ++i) {
    if (q.dtype == DType::kS16) {
      tensor.mutable_data<int16_t>()[i] = static_cast<int16_t>(q.zero_points[i]);
    } else if (q.dtype == DType::kS8) {
      tensor.mutable_data<int8_t>()[i] = static_cast<int8_t>(q.zero_points[i]);
    } else {
      tensor.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(q.zero_points[i]);
    }
  }
  return tensor;
}

class Inserter {
 public:
  Inserter(Graph& graph, const std::vector<LayerDecision>& layers, const ValueParams& params,
           const FindStatistics& find, const FindMoments& moments)
      : graph_(graph),
        layers_(layers),
        params_(params),
        find_(find),
        moments_(moments),
        original_nodes_(graph.nodes.size()) {}

  Status Run(const Hooks& hooks) {
    quantize_ = FindOp("QuantizeLinear");
    dequantize_ = FindOp("DequantizeLinear");
    dynamic_quantize_ = FindOp("DynamicQuantizeLinear");
    if (quantize_ == nullptr || dequantize_ == nullptr || dynamic_quantize_ == nullptr)
      return Error(Code::kUnsupported, "the operators of quantized graphs are not in this library");

    FindAllMeans();
    const Uses uses = FindUses(graph_);
    for (size_t id = 0; id < params_.bytes.size(); ++id)
      if (params_.bytes[id]) TRY(QuantizeValue(static_cast<ValueId>(id), uses));
    for (size_t i = 0; i < original_nodes_; ++i)
      if (layers_[i].reads_int16()) TRY(QuantizeInput16(i, uses));
    for (size_t i = 0; i < original_nodes_; ++i) {
      TRY(hooks.Progress("quantize", static_cast<int64_t>(i),
                         static_cast<int64_t>(original_nodes_)));
      TRY(QuantizeLayer(i));
    }
    OrderNodes();
    return Ok();
  }

 private:
  // Where a new node goes: before or after an original one. Stable, so in the order of their
  // making.
  enum class Side { kBefore, kAfter };

  Node& AddNodeAt(int32_t original, Side side, std::string_view name, const OpDef* op,
                  std::vector<ValueId> inputs, std::vector<ValueId> outputs) {
    keys_.push_back(2 * int64_t{original} + (side == Side::kAfter ? 1 : -1));
    return graph_.AddNode(name, op, std::move(inputs), std::move(outputs));
  }

  struct Constants {
    ValueId scale = kNoValue;
    ValueId zero_point = kNoValue;
  };
  Result<Constants> AddParams(std::string name, const QParams& q) {
    ASSIGN_OR_RETURN(Tensor scale, ScaleTensor(q));
    ASSIGN_OR_RETURN(Tensor zero_point, ZeroPointTensor(q));
    return Constants{graph_.AddConstant(name + "_scale", std::move(scale)),
                     graph_.AddConstant(name + "_zero_point", std::move(zero_point))};
  }

  // Only layers that take part in a value's quantization read it dequantized, unless its producer
  // writes integers: then there is nothing else to read.
  Status QuantizeValue(ValueId id, const Uses& uses) {
    const QParams& q = *params_.bytes[static_cast<size_t>(id)];
    if (graph_.value(id).constant) return QuantizeConstantValue(id, q);
    const std::string name = graph_.value(id).name;
    const int32_t producer = uses.producer[static_cast<size_t>(id)];
    const bool from_integers = producer != Uses::kNone &&
                               layers_[static_cast<size_t>(producer)].kind == LayerKind::kStatic;
    const DType dtype = graph_.value(id).dtype;
    const auto shape = graph_.value(id).shape;

    ValueId real = id;
    ValueId dequantized = id;
    if (from_integers && uses.is_output[static_cast<size_t>(id)]) {
      real = graph_.AddValue(name + "_real", dtype, shape);
      for (ValueId& out : graph_.nodes[static_cast<size_t>(producer)].outputs)
        if (out == id) out = real;
      real_[id] = real;
    } else {
      dequantized = graph_.AddValue(name + "_dequantized", dtype, shape);
    }
    ASSIGN_OR_RETURN(const Constants c, AddParams(name, q));
    const ValueId quantized = graph_.AddValue(name + "_quantized", q.dtype, shape);
    AddNodeAt(producer, Side::kAfter, name + "_quantize", quantize_, {real, c.scale, c.zero_point},
              {quantized});
    AddNodeAt(producer, Side::kAfter, name + "_dequantize", dequantize_,
              {quantized, c.scale, c.zero_point}, {dequantized});
    scale_of_[dequantized] = q.scales[0];
    if (dequantized == id) return Ok();
    for (const int32_t reader : uses.consumers[static_cast<size_t>(id)]) {
      const size_t i = static_cast<size_t>(reader);
      if (layers_[i].reads_int16()) continue;
      if (from_integers || layers_[i].kind == LayerKind::kStatic)
        Redirect(i, id, dequantized, from_integers);
    }
    return Ok();
  }

  // The input of a product in 16 bits, which only such products read.
  Status QuantizeInput16(size_t i, const Uses& uses) {
    const ValueId id = graph_.nodes[i].inputs[0];
    auto [entry, is_new] = words_.try_emplace(id, kNoValue);
    if (is_new) {
      const QParams& q = *params_.words[static_cast<size_t>(id)];
      const std::string name = graph_.value(id).name + "_s16";
      const int32_t producer = uses.producer[static_cast<size_t>(id)];
      const auto shape = graph_.value(id).shape;
      const auto renamed = real_.find(id);
      ASSIGN_OR_RETURN(const Constants c, AddParams(name, q));
      const ValueId quantized = graph_.AddValue(name + "_quantized", q.dtype, shape);
      entry->second = graph_.AddValue(name + "_dequantized", DType::kF32, shape);
      AddNodeAt(producer, Side::kAfter, name + "_quantize", quantize_,
                {renamed == real_.end() ? id : renamed->second, c.scale, c.zero_point},
                {quantized});
      AddNodeAt(producer, Side::kAfter, name + "_dequantize", dequantize_,
                {quantized, c.scale, c.zero_point}, {entry->second});
      scale_of_[entry->second] = q.scales[0];
    }
    graph_.nodes[i].inputs[0] = entry->second;
    return Ok();
  }

  // `all_inputs`: also those the layer does not read as activations.
  void Redirect(size_t i, ValueId from, ValueId to, bool all_inputs) {
    Node& node = graph_.nodes[i];
    if (all_inputs) {
      std::replace(node.inputs.begin(), node.inputs.end(), from, to);
      return;
    }
    for (const size_t k : ActivationInputs(graph_, node))
      if (node.inputs[k] == from) node.inputs[k] = to;
  }

  // A constant that static layers read like an activation: integers and a DequantizeLinear.
  Status QuantizeConstantValue(ValueId id, const QParams& q) {
    const std::string name = graph_.value(id).name;
    ASSIGN_OR_RETURN(Tensor values, Quantize(*graph_.value(id).constant, q));
    ASSIGN_OR_RETURN(const ValueId dequantized, AddDequantized(name, std::move(values), q, 0));
    scale_of_[dequantized] = q.scales[0];
    for (size_t i = 0; i < original_nodes_; ++i)
      if (layers_[i].kind == LayerKind::kStatic) Redirect(i, id, dequantized, false);
    return Ok();
  }

  Result<ValueId> AddDequantized(std::string name, Tensor values, const QParams& q, size_t before) {
    const Shape shape = values.shape();
    ASSIGN_OR_RETURN(const Constants c, AddParams(name, q));
    values.set_qparams(nullptr);  // in the graph, the scale is an input like any other
    const ValueId quantized = graph_.AddConstant(name + "_quantized", std::move(values));
    const ValueId dequantized = graph_.AddValue(name + "_dequantized", DType::kF32, shape);
    Node& node = AddNodeAt(static_cast<int32_t>(before), Side::kBefore, name + "_dequantize",
                           dequantize_, {quantized, c.scale, c.zero_point}, {dequantized});
    if (!q.per_tensor()) node.attrs.Set("axis", q.axis);
    return dequantized;
  }

  Status QuantizeLayer(size_t i) {
    const LayerDecision& layer = layers_[i];
    if (layer.kind != LayerKind::kStatic && layer.kind != LayerKind::kDynamicRanges) return Ok();
    if (layer.kind == LayerKind::kDynamicRanges) {
      if (layer.scheme.activation_dtype == DType::kS16)
        return Error(Code::kUnsupported, Place(graph_.nodes[i]),
                     ": activations of 16 bits with scheme dynamic, wanted scheme static");
      TRY(QuantizeInputDynamically(i));
    }
    if (!HasConstantWeight(graph_, graph_.nodes[i])) return Ok();
    return QuantizeConstants(i).At(Place(graph_.nodes[i]));
  }

  // One DynamicQuantizeLinear for all dynamic readers of a value.
  Status QuantizeInputDynamically(size_t i) {
    const ValueId id = graph_.nodes[i].inputs[0];
    auto [entry, is_new] = dynamic_.try_emplace(id, kNoValue);
    if (is_new) {
      const std::string name = graph_.value(id).name;
      const auto shape = graph_.value(id).shape;
      const ValueId quantized = graph_.AddValue(name + "_quantized", DType::kU8, shape);
      const ValueId scale = graph_.AddValue(name + "_scale", DType::kF32, Shape{});
      const ValueId zero_point = graph_.AddValue(name + "_zero_point", DType::kU8, Shape{});
      entry->second = graph_.AddValue(name + "_dequantized", DType::kF32, shape);
      const int32_t before = static_cast<int32_t>(i);
      AddNodeAt(before, Side::kBefore, name + "_quantize", dynamic_quantize_, {id},
                {quantized, scale, zero_point});
      AddNodeAt(before, Side::kBefore, name + "_dequantize", dequantize_,
                {quantized, scale, zero_point}, {entry->second});
    }
    graph_.nodes[i].inputs[0] = entry->second;
    return Ok();
  }

  // While layers still read their inputs by the names under which they were observed.
  void FindAllMeans() {
    const bool asks_norms =
        std::any_of(layers_.begin(), layers_.end(), [](const LayerDecision& layer) {
          return layer.scheme.bias_correction == BiasCorrection::kBatchNorm;
        });
    const ExpectedChannels expected = asks_norms ? ExpectChannels(graph_) : ExpectedChannels();
    for (size_t i = 0; i < original_nodes_; ++i) FindMeans(i, expected);
  }

  void FindMeans(size_t i, const ExpectedChannels& expected) {
    const Node& node = graph_.nodes[i];
    if (layers_[i].kind != LayerKind::kStatic || !HasConstantWeight(graph_, node)) return;
    const InputChannels channels = InputChannelsOf(node, *graph_.ConstantOf(node.inputs[1]));
    if (node.op->max_inputs < 3 || channels.count == 0) return;
    std::vector<double> means;
    if (layers_[i].scheme.bias_correction == BiasCorrection::kBatchNorm) {
      if (const auto known = expected.find(node.inputs[0]); known != expected.end())
        means = known->second.means;
    } else if (layers_[i].scheme.bias_correction == BiasCorrection::kData && find_) {
      const ValueStatistics* statistics = find_(graph_.value(node.inputs[0]).name);
      if (statistics != nullptr) means = statistics->channel_means();
    }
    if (static_cast<int64_t>(means.size()) == channels.count) means_[i] = std::move(means);
  }

  Status QuantizeConstants(size_t i) {
    const LayerDecision& layer = layers_[i];
    const ValueId weight_id = graph_.nodes[i].inputs[1];
    const Tensor weight = *graph_.ConstantOf(weight_id);
    const int64_t axis = graph_.nodes[i].op->weight_axis(graph_.nodes[i], weight.rank());
    BiasContext context;
    if (graph_.nodes[i].inputs.size() > 2)
      context.bias = graph_.ConstantOf(graph_.nodes[i].inputs[2]);
    // Input 0 of a static layer is already the result of a DequantizeLinear.
    context.input_scale = scale_of_[graph_.nodes[i].inputs[0]];
    context.keeps_float = layer.reads_int16();
    context.channels = InputChannelsOf(graph_.nodes[i], weight);
    context.means = means_[i];
    if (moments_) context.moments = moments_(graph_.nodes[i].name);
    ASSIGN_OR_RETURN(QuantizedWeight w,
                     QuantizeWeight(weight, axis, layer.scheme,
                                    layer.kind == LayerKind::kStatic ? &context : nullptr,
                                    ReductionOf(graph_.nodes[i], weight.rank())));

    // Layers that share a weight share its integers too, unless a bias widened a scale.
    const QParams params = *w.values.qparams();
    ValueId shared = kNoValue;
    for (const auto& [source, made, made_params] : weights_)
      if (source == weight_id && made_params == params) shared = made;
    if (shared == kNoValue) {
      ASSIGN_OR_RETURN(
          shared, AddDequantized(graph_.value(weight_id).name, std::move(w.values), params, i));
      weights_.push_back({weight_id, shared, params});
    }
    graph_.nodes[i].inputs[1] = shared;
    return w.bias.valid() ? AddBias(i, std::move(w)) : Ok();
  }

  Status AddBias(size_t i, QuantizedWeight w) {
    std::vector<ValueId>& inputs = graph_.nodes[i].inputs;
    if (inputs.size() < 3) inputs.resize(3, kNoValue);
    const std::string name =
        inputs[2] == kNoValue ? graph_.nodes[i].name + "_bias" : graph_.value(inputs[2]).name;
    if (w.bias.dtype() == DType::kF32) {
      inputs[2] = graph_.AddConstant(name + "_corrected", std::move(w.bias));
      return Ok();
    }
    const int64_t bias_axis = w.bias.rank() - 1;
    ASSIGN_OR_RETURN(Tensor scales, Tensor::Of(std::span<const float>(w.bias_scales)));
    if (bias_axis < 0) {
      ASSIGN_OR_RETURN(scales, scales.Reshaped({}));
    }
    const Shape shape = w.bias.shape();
    const ValueId scale = graph_.AddConstant(name + "_scale", std::move(scales));
    const ValueId quantized = graph_.AddConstant(name + "_quantized", std::move(w.bias));
    const ValueId dequantized = graph_.AddValue(name + "_dequantized", DType::kF32, shape);
    Node& node = AddNodeAt(static_cast<int32_t>(i), Side::kBefore, name + "_dequantize",
                           dequantize_, {quantized, scale}, {dequantized});
    if (bias_axis >= 0) node.attrs.Set("axis", bias_axis);
    graph_.nodes[i].inputs[2] = dequantized;
    return Ok();
  }

  void OrderNodes() {
    std::vector<std::pair<int64_t, size_t>> order;
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      order.push_back(
          {i < original_nodes_ ? 2 * static_cast<int64_t>(i) : keys_[i - original_nodes_], i});
    std::sort(order.begin(), order.end());
    std::vector<Node> nodes;
    nodes.reserve(order.size());
    for (const auto& [key, i] : order) nodes.push_back(std::move(graph_.nodes[i]));
    graph_.nodes = std::move(nodes);
  }

  struct SharedWeight {
    ValueId source;
    ValueId dequantized;
    QParams params;
  };

  Graph& graph_;
  const std::vector<LayerDecision>& layers_;
  const ValueParams& params_;
  const FindStatistics& find_;
  const FindMoments& moments_;
  const size_t original_nodes_;
  const OpDef* quantize_ = nullptr;
  const OpDef* dequantize_ = nullptr;
  const OpDef* dynamic_quantize_ = nullptr;
  std::vector<int64_t> keys_;                    // of the nodes added, see OrderNodes
  std::map<size_t, std::vector<double>> means_;  // of a layer's input channels
  std::map<ValueId, float> scale_of_;            // of dequantized activations
  std::map<ValueId, ValueId> real_;              // value -> where its producer writes it now
  std::map<ValueId, ValueId> words_;             // value -> dequantized from 16 bits
  std::map<ValueId, ValueId> dynamic_;           // value -> dequantized
  std::vector<SharedWeight> weights_;
};

}  // namespace

Status InsertQdq(Graph& graph, const std::vector<LayerDecision>& layers, const ValueParams& params,
                 const FindStatistics& find, const Hooks& hooks, const FindMoments& moments) {
  return Inserter(graph, layers, params, find, moments).Run(hooks);
}

}  // namespace intmill
