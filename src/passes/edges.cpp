// Reading Q/DQ nodes, and bookkeeping for rewrites.
#include "passes/edges.h"

#include <algorithm>
#include <memory>

namespace intmill {
namespace {

// Scale and zero point of a Q or DQ node whose integer side has this type. Nothing when they are
// computed at run time, or blocked.
QParamsPtr ConstantQParams(const Graph& graph, const Node& node, DType dtype) {
  const Tensor* scale = node.inputs.size() > 1 ? graph.ConstantOf(node.inputs[1]) : nullptr;
  if (scale == nullptr || scale->dtype() != DType::kF32 || scale->rank() > 1) return nullptr;
  auto q = std::make_shared<QParams>();
  q->dtype = dtype;
  q->scales.assign(scale->values<float>().begin(), scale->values<float>().end());
  q->zero_points.assign(q->scales.size(), 0);
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    const Tensor* zero_point = graph.ConstantOf(node.inputs[2]);
    if (zero_point == nullptr || zero_point->elements() != scale->elements()) return nullptr;
    const Result<std::vector<int64_t>> values = ToInts(*zero_point);
    if (!values.ok()) return nullptr;
    std::ranges::copy(*values, q->zero_points.begin());
  }
  const Result<int64_t> axis = node.attrs.Int("axis", 1);
  const Result<int64_t> block = node.attrs.Int("block_size", 0);
  if (!axis.ok() || !block.ok() || *block != 0) return nullptr;
  const std::optional<Shape>& shape = graph.value(node.inputs[0]).shape;
  if (q->scales.size() > 1) {
    if (!shape) return nullptr;
    const Result<int64_t> at = NormalizeAxis(*axis, static_cast<int64_t>(shape->size()));
    if (!at.ok()) return nullptr;
    q->axis = *at;
  }
  return CheckQParams(*q).ok() ? q : nullptr;
}

// Sums of more u8 x s8 products may not fit into 32 bits: 255 * 127 * 66311 < 2^31.
constexpr int64_t kMaxDepth = 66311;

}  // namespace

bool IsActivation(const QuantizedValue& q) {
  return q.id != kNoValue && q.qparams->per_tensor() && IsQuantized8(q.qparams->dtype);
}

bool IsActivation16(const QuantizedValue& q) {
  return q.id != kNoValue && q.qparams->per_tensor() && q.qparams->dtype == DType::kS16 &&
         q.qparams->zero_points[0] == 0;
}

bool WeightsFold(const Graph& graph, const Node& node, const QuantizedValue& weights) {
  if (weights.id == kNoValue || !IsQuantized8(weights.qparams->dtype)) return false;
  const Value& value = graph.value(weights.id);
  if (!value.shape) return false;
  const auto rank = static_cast<int64_t>(value.shape->size());
  const int64_t axis = node.op->weight_axis(node, rank);
  if (axis >= 0 && axis < rank && IsStatic(*value.shape)) {
    const int64_t channels = (*value.shape)[static_cast<size_t>(axis)];
    if (channels > 0 && NumElements(*value.shape) / channels > kMaxDepth) return false;
  }
  if (!value.constant) return weights.qparams->per_tensor();
  return weights.qparams->per_tensor() || weights.qparams->axis == axis;
}

bool CarriesScale(const OpDef& op, size_t i) {
  return i >= 64 || (op.same_scale_inputs >> i & 1) != 0;
}

bool IsCast(const Graph& graph, const Node& node, DType from, DType to) {
  return graph.value(node.inputs[0]).dtype == from && graph.value(node.outputs[0]).dtype == to &&
         node.op == FindOp("Cast");
}

bool IsProductOfBf16(const Edges& edges, const Node& node) {
  if (node.op->quant != QuantRule::kWeighted) return false;
  const auto is_widened = [&](ValueId id) {
    const std::vector<Node>& nodes = edges.graph().nodes;
    for (;;) {
      const int32_t producer = edges.Producer(id);
      if (producer == Uses::kNone) return false;
      const Node& maker = nodes[static_cast<size_t>(producer)];
      if (!maker.op->Has(kAlias) || maker.outputs.size() != 1)
        return IsCast(edges.graph(), maker, DType::kBf16, DType::kF32);
      id = maker.inputs[0];
    }
  };
  return is_widened(node.inputs[0]) && is_widened(node.inputs[1]);
}

int32_t Edges::SoleReader(ValueId id) const {
  const auto i = static_cast<size_t>(id);
  return uses_.consumers[i].size() == 1 && !uses_.is_output[i] ? uses_.consumers[i][0]
                                                               : Uses::kNone;
}

void Edges::SetInput(int32_t index, size_t i, ValueId id) {
  ValueId& input = node(index).inputs[i];
  if (input != kNoValue) {
    Uses::Readers& readers = uses_.consumers[static_cast<size_t>(input)];
    readers.erase(std::ranges::find(readers, index));
  }
  input = id;
  if (id != kNoValue) uses_.consumers[static_cast<size_t>(id)].push_back(index);
}

void Edges::Kill(int32_t index) {
  dead_[static_cast<size_t>(index)] = true;
  for (const ValueId id : node(index).inputs) {
    if (id == kNoValue) continue;
    Uses::Readers& readers = uses_.consumers[static_cast<size_t>(id)];
    const auto found = std::ranges::find(readers, index);
    if (found != readers.end()) readers.erase(found);
  }
}

ValueId Edges::AddValue(std::string_view name, DType dtype, std::optional<Shape> shape) {
  uses_.producer.push_back(Uses::kNone);
  uses_.consumers.emplace_back();
  uses_.is_output.push_back(false);
  return graph_.AddValue(name, dtype, std::move(shape));
}

int32_t Edges::Append(Node added) {
  const int32_t index = size();
  for (const ValueId id : added.inputs)
    if (id != kNoValue) uses_.consumers[static_cast<size_t>(id)].push_back(index);
  for (const ValueId id : added.outputs) SetProducer(id, index);
  added.name = graph_.UniqueNodeName(added.name);
  graph_.nodes.push_back(std::move(added));
  dead_.push_back(false);
  return index;
}

std::optional<QuantizedValue> Edges::Dequantized(ValueId id) const {
  const int32_t index = Producer(id);
  if (index == Uses::kNone) return {};
  const Node& node = graph_.nodes[static_cast<size_t>(index)];
  if (!node.op->Has(kDequantize)) return {};
  QParamsPtr q = ConstantQParams(graph_, node, graph_.value(node.inputs[0]).dtype);
  if (q == nullptr) return {};
  return QuantizedValue{node.inputs[0], std::move(q), index};
}

std::optional<QuantizedValue> Edges::QuantizedBy(int32_t index) const {
  const Node& node = graph_.nodes[static_cast<size_t>(index)];
  if (!node.op->Has(kQuantize)) return {};
  QParamsPtr q = ConstantQParams(graph_, node, graph_.value(node.outputs[0]).dtype);
  if (q == nullptr) return {};
  return QuantizedValue{node.outputs[0], std::move(q), index};
}

std::optional<QuantizedValue> Edges::Quantized(ValueId id) const {
  const int32_t index = SoleReader(id);
  if (index == Uses::kNone || graph_.nodes[static_cast<size_t>(index)].inputs[0] != id) return {};
  return QuantizedBy(index);
}

void Edges::Sweep() {
  if (std::ranges::find(dead_, true) == dead_.end()) return;
  std::vector<Node> kept;
  kept.reserve(graph_.nodes.size());
  for (size_t i = 0; i < graph_.nodes.size(); ++i)
    if (!dead_[i]) kept.push_back(std::move(graph_.nodes[i]));
  graph_.nodes = std::move(kept);
  dead_.assign(graph_.nodes.size(), false);
}

}  // namespace intmill
