// The proof: every pair of every output channel, looked at once.
#include "quant/saturation.h"

#include <algorithm>

#include "ir/op.h"

namespace intmill {
namespace {

// 255 * 128 = 32640 fits into 16 bits, 255 * 129 = 32895 does not.
constexpr int kLargestPart = 128;

// What the larger of the two parts exceeds its limit by; positive: the pair does not fit.
int Excess(int a, int b) {
  const int positive = std::max(a, 0) + std::max(b, 0);
  const int negative = std::min(a, 0) + std::min(b, 0);
  return std::max(positive, -negative) - kLargestPart;
}

// Calls for every pair with its output channel and its place along the reduction.
template <typename See>
void ForEachPair(const Tensor& weight, const Reduction& reduction, See see) {
  const int64_t depth = weight.dim(reduction.pair_axis);
  const int64_t of_group = std::max<int64_t>(depth / reduction.groups, 1);
  const Shape strides = RowMajorStrides(weight.shape());
  const int64_t step = strides[static_cast<size_t>(reduction.pair_axis)];
  const int64_t channel_step = strides[static_cast<size_t>(reduction.channel_axis)];
  const int64_t channels = weight.dim(reduction.channel_axis);
  const auto q = weight.values<int8_t>();
  for (int64_t i = 0; i < weight.elements(); ++i) {
    const int64_t k = i / step % depth;
    const bool begins_pair = k % of_group % 2 == 0;
    const bool has_second = k + 1 < depth && (k + 1) % of_group != 0;
    if (begins_pair && has_second)
      see(i / channel_step % channels, k, q[static_cast<size_t>(i)],
          q[static_cast<size_t>(i + step)]);
  }
}

// 16-bit activations are multiplied as two unsigned bytes (passes/split_int16).
bool RunsInUnsignedBytes(DType dtype) { return dtype == DType::kU8 || dtype == DType::kS16; }

// What lies behind a DequantizeLinear; kNoValue when nothing does.
ValueId IntegersBehind(const Graph& graph, const Uses& uses, ValueId id) {
  const int32_t producer = id == kNoValue ? Uses::kNone : uses.producer[static_cast<size_t>(id)];
  if (producer == Uses::kNone) return kNoValue;
  const Node& node = graph.nodes[static_cast<size_t>(producer)];
  return node.op->Has(kDequantize) ? node.inputs[0] : kNoValue;
}

}  // namespace

std::optional<Reduction> ReductionOf(const Node& node, int64_t weight_rank) {
  if (node.op->weight_axis == nullptr || weight_rank < 2) return {};
  Reduction reduction;
  reduction.channel_axis = node.op->weight_axis(node, weight_rank);
  if (node.op->layout != LayoutRule::kSpatial) {
    const bool is_last = reduction.channel_axis == weight_rank - 1;
    reduction.pair_axis = is_last ? weight_rank - 2 : weight_rank - 1;
    return reduction;
  }
  // (outputs, inputs / groups, window) of a Conv, (inputs, outputs / groups, window) of its
  // inverse.
  if (reduction.channel_axis > 1) return {};
  reduction.pair_axis = 1 - reduction.channel_axis;
  const Result<int64_t> groups = node.attrs.Int("group", 1);
  if (!groups.ok() || *groups < 1) return {};
  if (reduction.pair_axis == 0) reduction.groups = *groups;
  return reduction;
}

std::vector<int64_t> SaturatingChannels(const Tensor& weight, const Reduction& reduction) {
  std::vector<bool> saturates(static_cast<size_t>(weight.dim(reduction.channel_axis)));
  ForEachPair(weight, reduction, [&](int64_t channel, int64_t, int a, int b) {
    if (Excess(a, b) > 0) saturates[static_cast<size_t>(channel)] = true;
  });
  std::vector<int64_t> found;
  for (size_t c = 0; c < saturates.size(); ++c)
    if (saturates[c]) found.push_back(static_cast<int64_t>(c));
  return found;
}

WeightPair WorstPair(const Tensor& weight, const Reduction& reduction) {
  WeightPair worst;
  int most = 0;
  ForEachPair(weight, reduction, [&](int64_t channel, int64_t first, int a, int b) {
    if (Excess(a, b) <= most) return;
    most = Excess(a, b);
    worst = {channel, first, a, b};
  });
  return worst;
}

std::optional<SaturationProof> ProveSaturation(const Graph& graph, const Uses& uses,
                                               const Node& node) {
  if (node.op->weight_axis == nullptr || node.inputs.size() < 2) return {};
  const ValueId activation = IntegersBehind(graph, uses, node.inputs[0]);
  const Tensor* const weight = graph.ConstantOf(IntegersBehind(graph, uses, node.inputs[1]));
  if (activation == kNoValue || weight == nullptr || weight->dtype() != DType::kS8 ||
      !RunsInUnsignedBytes(graph.value(activation).dtype))
    return {};
  const std::optional<Reduction> reduction = ReductionOf(node, weight->rank());
  if (!reduction) return {};
  return SaturationProof{weight->dim(reduction->channel_axis),
                         SaturatingChannels(*weight, *reduction), WorstPair(*weight, *reduction)};
}

void RecordExactness(Graph& graph) {
  const Uses uses = FindUses(graph);
  int64_t saturating = 0;
  bool is_proven = true;
  for (const Node& node : graph.nodes) {
    if (node.op->weight_axis == nullptr) continue;
    const std::optional<SaturationProof> proof = ProveSaturation(graph, uses, node);
    if (proof) saturating += static_cast<int64_t>(proof->saturating.size());
    const bool is_float = IntegersBehind(graph, uses, node.inputs[0]) == kNoValue;
    is_proven = is_proven && (is_float || (proof && proof->saturating.empty()));
  }
  graph.metadata[kExactKey] = is_proven ? "any" : "vnni";
  graph.metadata[kSaturatingKey] = std::to_string(saturating);
}

}  // namespace intmill
