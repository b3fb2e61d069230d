// fuse_batch_norm: a weighted node followed by BatchNormalization becomes the node with other
// weights: scale * (w x + b - mean) / sqrt(var + epsilon) + shift. This file names
// BatchNormalization.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/edges.h"
#include "passes/pass.h"
#include "passes/weighted.h"

namespace intmill {
namespace {

// What the node does to each channel when it does not train; nothing when a number is unknown.
std::optional<ChannelAffine> AffineOf(const Graph& graph, const Node& node, int64_t channels) {
  const Result<int64_t> training = node.attrs.Int("training_mode", 0);
  const Result<float> epsilon = node.attrs.Float("epsilon", 1e-5f);
  if (!training.ok() || *training != 0 || !epsilon.ok() || node.outputs.size() != 1) return {};
  const float* parameters[4] = {};  // scale, shift, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* t = graph.ConstantOf(node.inputs[i + 1]);
    if (t == nullptr || t->dtype() != DType::kF32 || t->elements() != channels) return {};
    parameters[i] = t->data<float>();
  }
  ChannelAffine affine;
  for (int64_t c = 0; c < channels; ++c) {
    const double scale =
        parameters[0][c] / std::sqrt(static_cast<double>(parameters[3][c]) + *epsilon);
    affine.scale.push_back(scale);
    affine.shift.push_back(parameters[1][c] - parameters[2][c] * scale);
  }
  return affine;
}

// Of what the node writes, over the data that it was trained on: gamma is the deviation of what was
// divided by sqrt(variance + epsilon).
void KeepNorm(const Graph& graph, const Node& norm, Node* weighted) {
  const Tensor& gamma = *graph.ConstantOf(norm.inputs[1]);
  const Tensor& beta = *graph.ConstantOf(norm.inputs[2]);
  const Tensor& variance = *graph.ConstantOf(norm.inputs[4]);
  const auto epsilon = static_cast<double>(*norm.attrs.Float("epsilon", 1e-5f));
  std::vector<float> deviation;
  for (int64_t c = 0; c < gamma.elements(); ++c) {
    const double var = std::max(0.0, static_cast<double>(variance.data<float>()[c]));
    const double g = std::fabs(static_cast<double>(gamma.data<float>()[c]));
    deviation.push_back(static_cast<float>(var > 0 ? g * std::sqrt(var / (var + epsilon)) : 0));
  }
  const auto means = beta.values<float>();
  weighted->attrs.Set(kNormMean, std::vector<float>(means.begin(), means.end()));
  weighted->attrs.Set(kNormDeviation, std::move(deviation));
}

}  // namespace

Result<int64_t> FuseBatchNorm(Graph& graph, PassContext&) {
  Edges edges(graph);
  int64_t fused = 0;
  const OpDef* const batch_norm = FindOp("BatchNormalization");
  for (int32_t i = 0; i < static_cast<int32_t>(graph.nodes.size()); ++i) {
    const Node& norm = edges.node(i);
    if (norm.op != batch_norm || batch_norm == nullptr) continue;
    const ValueId input = norm.inputs[0];
    const int32_t producer = edges.Producer(input);
    if (producer == Uses::kNone || edges.SoleReader(input) != i) continue;
    Node& weighted = edges.node(producer);
    const std::optional<int64_t> channels = AffineChannels(graph, weighted);
    if (!channels) continue;
    const std::optional<ChannelAffine> affine = AffineOf(graph, norm, *channels);
    if (!affine) continue;
    TRY(ApplyAffine(graph, weighted, *affine));
    KeepNorm(graph, norm, &weighted);
    weighted.outputs[0] = norm.outputs[0];
    edges.SetProducer(norm.outputs[0], producer);
    edges.Kill(i);
    ++fused;
  }
  edges.Sweep();
  return fused;
}

}  // namespace intmill
