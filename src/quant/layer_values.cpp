// LayerValues: found by walking from each layer to what others read.
#include "quant/layer_values.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "ir/op.h"
#include "passes/edges.h"
#include "tensor/half.h"

namespace intmill {
namespace {

bool IsWorthQuantizing(const OpDef& op) {
  return op.quant == QuantRule::kWeighted || op.quant == QuantRule::kAllInputs;
}

// The activation that is all that reads a value, or null.
const Node* OnlyActivation(const Graph& graph, const Uses& uses, ValueId id) {
  const auto& readers = uses.consumers[static_cast<size_t>(id)];
  if (readers.size() != 1 || uses.is_output[static_cast<size_t>(id)]) return nullptr;
  const Node& reader = graph.nodes[static_cast<size_t>(readers[0])];
  return reader.op->Has(kActivation) ? &reader : nullptr;
}

// Scale and zero point of a QuantizeLinear with one of each.
std::optional<QParams> ParamsOf(const Graph& graph, const Node& quantize) {
  if (!quantize.op->Has(kQuantize) || quantize.inputs.size() < 3) return {};
  const Tensor* const scale = graph.ConstantOf(quantize.inputs[1]);
  const Tensor* const zero_point = graph.ConstantOf(quantize.inputs[2]);
  if (scale == nullptr || zero_point == nullptr || scale->elements() != 1 ||
      zero_point->elements() != 1 || scale->dtype() != DType::kF32)
    return {};
  QParams params;
  params.dtype = zero_point->dtype();
  if (!IsQuantizedActivation(params.dtype)) return {};
  const Result<std::vector<int64_t>> zero_points = ToInts(*zero_point);
  if (!zero_points.ok()) return {};
  params.scales = {scale->values<float>()[0]};
  params.zero_points = {static_cast<int32_t>(zero_points->front())};
  return params;
}

template <typename T>
std::vector<float> Real(std::span<const T> integers, const QParams& q) {
  std::vector<float> values(integers.size());
  for (size_t i = 0; i < integers.size(); ++i)
    values[i] = static_cast<float>(integers[i] - q.zero_points[0]) * q.scales[0];
  return values;
}

std::vector<float> InFloats(const Tensor& tensor, const std::optional<QParams>& params) {
  if (tensor.dtype() == DType::kBf16) {
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    std::transform(tensor.data<uint16_t>(), tensor.data<uint16_t>() + tensor.elements(),
                   values.begin(), Bf16ToFloat);
    return values;
  }
  if (!params) return {tensor.values<float>().begin(), tensor.values<float>().end()};
  if (params->dtype == DType::kU8) return Real(tensor.values<uint8_t>(), *params);
  if (params->dtype == DType::kS16) return Real(tensor.values<int16_t>(), *params);
  return Real(tensor.values<int8_t>(), *params);
}

// From [n, positions, channels] to [n, channels, positions].
std::vector<float> ChannelsFirst(const std::vector<float>& values, const Shape& physical) {
  const auto n = static_cast<size_t>(physical.front());
  const auto channels = static_cast<size_t>(physical.back());
  if (values.empty()) return values;
  const size_t positions = values.size() / n / channels;
  std::vector<float> plain(values.size());
  const float* from = values.data();
  for (size_t i = 0; i < n; ++i) {
    float* const to = &plain[i * channels * positions];
    for (size_t p = 0; p < positions; ++p)
      for (size_t c = 0; c < channels; ++c) to[c * positions + p] = *from++;
  }
  return plain;
}

}  // namespace

LayerValues::LayerValues(const Graph& graph) {
  const Uses uses = FindUses(graph);
  for (const Node& node : graph.nodes)
    if (IsWorthQuantizing(*node.op)) Watch(graph, uses, node);
}

void LayerValues::Watch(const Graph& graph, const Uses& uses, const Node& layer) {
  ValueId id = layer.outputs[0];
  while (const Node* activation = OnlyActivation(graph, uses, id)) id = activation->outputs[0];
  watched_[graph.value(id).name] = {layer.name, {}};
  for (const int32_t reader : uses.consumers[static_cast<size_t>(id)]) {
    const Node& quantize = graph.nodes[static_cast<size_t>(reader)];
    if (quantize.inputs[0] != id) continue;
    if (IsCast(graph, quantize, DType::kF32, DType::kBf16))
      watched_[graph.value(quantize.outputs[0]).name] = {layer.name, {}};
    if (auto params = ParamsOf(graph, quantize))
      watched_[graph.value(quantize.outputs[0]).name] = {layer.name, std::move(params)};
  }
}

Tap LayerValues::MakeTap(See see) const {
  const auto seen = std::make_shared<std::set<std::string, std::less<>>>();
  return [this, seen, see = std::move(see)](const std::string& name, const Tensor& tensor,
                                            Layout layout) -> Status {
    const auto found = watched_.find(name);
    if (found == watched_.end()) return Ok();
    const auto& [layer, params] = found->second;
    // A plan may write BF16 where the graph has f32 and a Cast.
    const bool is_half = tensor.dtype() == DType::kBf16;
    if (!is_half && tensor.dtype() != (params ? params->dtype : DType::kF32)) return Ok();
    if (!seen->insert(layer).second) return Ok();
    std::vector<float> values = InFloats(tensor, params);
    if (layout == Layout::kChannelsLast && tensor.rank() >= 3)
      values = ChannelsFirst(values, tensor.shape());
    see(layer, values);
    return Ok();
  };
}

}  // namespace intmill
