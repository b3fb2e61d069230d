// Scaling the output channels of weighted nodes.
#include "passes/weighted.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/op.h"

namespace intmill {
namespace {

// Where the weights of each output channel lie: weights are [outer][rows][inner], and a channel is
// a row; of grouped transposed convolutions a row of one group's part of the outer dimension.
struct WeightRows {
  int64_t outer = 1;
  int64_t rows = 1;
  int64_t inner = 1;
  int64_t groups = 1;

  int64_t channels() const { return rows * groups; }
  int64_t ChannelOf(int64_t outer_index, int64_t row) const {
    return outer_index / (outer / groups) * rows + row;
  }
};

std::optional<WeightRows> FindRows(const Node& node, const Tensor& weights) {
  const int64_t axis = node.op->weight_axis(node, weights.rank());
  const Result<int64_t> group = node.attrs.Int("group", 1);
  if (axis < 0 || axis >= weights.rank() || !group.ok()) return {};
  WeightRows rows{.rows = weights.dim(axis)};
  for (int64_t d = 0; d < weights.rank(); ++d)
    if (d != axis) (d < axis ? rows.outer : rows.inner) *= weights.dim(d);
  // With the output channels first, the groups are among them already.
  if (axis > 0) rows.groups = *group;
  if (rows.groups < 1 || rows.outer < 1 || rows.outer % rows.groups != 0) return {};
  return rows;
}

bool IsDefault(const Node& node, const char* attribute) {
  const Result<float> value = node.attrs.Float(attribute, 1);
  return value.ok() && *value == 1;
}

const Tensor* FloatConstant(const Graph& graph, const Node& node, size_t i) {
  const Tensor* constant = i < node.inputs.size() ? graph.ConstantOf(node.inputs[i]) : nullptr;
  return constant != nullptr && constant->dtype() == DType::kF32 ? constant : nullptr;
}

// One value a channel, or one for all.
bool IsChannelBias(const Tensor& bias, int64_t channels) {
  if (bias.elements() == 1) return bias.rank() <= 2;
  return bias.elements() == channels && bias.rank() >= 1 && bias.dim(bias.rank() - 1) == channels;
}

}  // namespace

std::optional<int64_t> AffineChannels(const Graph& graph, const Node& node) {
  if (node.op->quant != QuantRule::kWeighted || node.op->max_inputs < 3 ||
      node.outputs.size() != 1 || !node.post_ops.empty() || node.op->weight_axis == nullptr)
    return {};
  const Tensor* weights = FloatConstant(graph, node, 1);
  if (weights == nullptr || weights->rank() < 2) return {};
  const std::optional<WeightRows> rows = FindRows(node, *weights);
  // alpha and beta scale the product and the bias apart.
  if (!rows || !IsDefault(node, "alpha") || !IsDefault(node, "beta")) return {};
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) {
    const Tensor* bias = FloatConstant(graph, node, 2);
    if (bias == nullptr || !IsChannelBias(*bias, rows->channels())) return {};
  }
  return rows->channels();
}

void ScaleNorm(Node& node, const ChannelAffine& affine) {
  auto mean = node.attrs.Floats(kNormMean, {});
  auto deviation = node.attrs.Floats(kNormDeviation, {});
  if (!mean.ok() || !deviation.ok() || mean->empty() || mean->size() != deviation->size()) return;
  for (size_t c = 0; c < mean->size(); ++c) {
    const double scale = c < affine.scale.size() ? affine.scale[c] : 1;
    const double shift = c < affine.shift.size() ? affine.shift[c] : 0;
    (*mean)[c] = static_cast<float>(static_cast<double>((*mean)[c]) * scale + shift);
    (*deviation)[c] = static_cast<float>(static_cast<double>((*deviation)[c]) * std::fabs(scale));
  }
  node.attrs.Set(kNormMean, *std::move(mean));
  node.attrs.Set(kNormDeviation, *std::move(deviation));
}

Status ApplyAffine(Graph& graph, Node& node, const ChannelAffine& affine) {
  const Tensor weights = *graph.ConstantOf(node.inputs[1]);
  const WeightRows rows = *FindRows(node, weights);
  if (!affine.scale.empty()) {
    ASSIGN_OR_RETURN(Tensor scaled, Tensor::Make(DType::kF32, weights.shape()));
    const float* from = weights.data<float>();
    float* to = scaled.mutable_data<float>();
    for (int64_t o = 0; o < rows.outer; ++o) {
      for (int64_t r = 0; r < rows.rows; ++r) {
        const double scale = affine.scale[static_cast<size_t>(rows.ChannelOf(o, r))];
        for (int64_t i = 0; i < rows.inner; ++i, ++from, ++to)
          *to = static_cast<float>(*from * scale);
      }
    }
    node.inputs[1] = graph.AddConstant(graph.value(node.inputs[1]).name, std::move(scaled));
  }
  const Tensor* old_bias = node.inputs.size() > 2 ? graph.ConstantOf(node.inputs[2]) : nullptr;
  ASSIGN_OR_RETURN(Tensor bias, Tensor::Make(DType::kF32, {rows.channels()}));
  for (int64_t c = 0; c < rows.channels(); ++c) {
    const auto i = static_cast<size_t>(c);
    const double old =
        old_bias == nullptr ? 0 : old_bias->data<float>()[old_bias->elements() == 1 ? 0 : c];
    const double scale = affine.scale.empty() ? 1 : affine.scale[i];
    bias.mutable_data<float>()[c] = static_cast<float>(old * scale + affine.shift[i]);
  }
  const std::string name =
      old_bias == nullptr ? Cat(node.name, ".bias") : graph.value(node.inputs[2]).name;
  node.inputs.resize(std::max<size_t>(node.inputs.size(), 3), kNoValue);
  node.inputs[2] = graph.AddConstant(name, std::move(bias));
  ScaleNorm(node, affine);
  return Ok();
}

}  // namespace intmill
