// ScaleChannels: new constants for all nodes that write or read the channels.
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "ir/infer.h"
#include "ir/op.h"
#include "passes/weighted.h"
#include "quant/bias_shift.h"
#include "quant/channel_links.h"

namespace intmill {
namespace {

// Factors of a node's constants.
struct Factors {
  std::vector<double> written;  // of output channels; empty: 1
  std::vector<double> read;     // of input channels
  std::vector<double> shift;    // of the constant that an Add adds
  std::vector<double> clip;     // of the bounds of a Clip
};

void Set(std::vector<double>* factors, int64_t channel, double factor) {
  const auto c = static_cast<size_t>(channel);
  if (factors->size() <= c) factors->resize(c + 1, 1.0);
  (*factors)[c] = factor;
}

double At(const std::vector<double>& factors, int64_t channel) {
  const auto c = static_cast<size_t>(channel);
  return c < factors.size() ? factors[c] : 1.0;
}

class Scaler {
 public:
  explicit Scaler(Graph& graph) : graph_(graph) {}

  Status Apply(size_t i, const Factors& factors) {
    if (!factors.clip.empty()) return ScaleClip(i, factors.clip);
    if (!factors.shift.empty()) {
      const size_t side = graph_.ConstantOf(node(i).inputs[1]) != nullptr ? 1 : 0;
      return ScaleRow(i, side, factors.shift);
    }
    const bool is_product = node(i).op->weight_axis != nullptr;
    if (is_product) TRY(ScaleWeight(i, factors));
    ScaleNorm(node(i), {.scale = factors.written, .shift = {}});
    for (size_t k = is_product ? 2 : 1; k < node(i).inputs.size(); ++k)
      if (!factors.written.empty() && node(i).inputs[k] != kNoValue)
        TRY(ScaleRow(i, k, factors.written));
    return Ok();
  }

 private:
  Node& node(size_t i) { return graph_.nodes[i]; }

  Result<Tensor> Copy(ValueId id) const {
    const Tensor& from = *graph_.ConstantOf(id);
    ASSIGN_OR_RETURN(Tensor copy, Tensor::Make(DType::kF32, from.shape()));
    std::copy_n(from.data<float>(), from.elements(), copy.mutable_data<float>());
    return copy;
  }
  // The links saw to it that nobody else reads the constant.
  void Replace(ValueId id, Tensor tensor) { graph_.value(id).constant = std::move(tensor); }

  Status ScaleRow(size_t i, size_t input, const std::vector<double>& factors) {
    const ValueId id = node(i).inputs[input];
    ASSIGN_OR_RETURN(Tensor row, Copy(id));
    float* const x = row.mutable_data<float>();
    for (int64_t c = 0; c < row.elements(); ++c)
      x[c] = static_cast<float>(static_cast<double>(x[c]) * At(factors, c));
    Replace(id, std::move(row));
    return Ok();
  }

  Status ScaleWeight(size_t i, const Factors& factors) {
    const ValueId id = node(i).inputs[1];
    ASSIGN_OR_RETURN(Tensor weight, Copy(id));
    const InputChannels channels = InputChannelsOf(node(i), weight);
    const int64_t axis = node(i).op->weight_axis(node(i), weight.rank());
    const int64_t outputs = weight.dim(axis);
    const int64_t inputs = channels.count / channels.groups;
    const int64_t window = weight.elements() / (outputs * inputs);
    for (int64_t o = 0; o < outputs; ++o) {
      const int64_t group = o / (outputs / channels.groups);
      for (int64_t c = 0; c < inputs; ++c) {
        const double factor = At(factors.written, o) * At(factors.read, group * inputs + c);
        float* const w =
            weight.mutable_data<float>() + (axis == 0 ? o * inputs + c : c * outputs + o) * window;
        for (int64_t k = 0; k < window; ++k)
          w[k] = static_cast<float>(static_cast<double>(w[k]) * factor);
      }
    }
    Replace(id, std::move(weight));
    return Ok();
  }

  // clip(x, 0, b) / s = min(clip(x / s, 0, largest b / s), b / s), channel by channel.
  Status ScaleClip(size_t i, const std::vector<double>& factors) {
    const ValueId out = node(i).outputs[0];
    const Shape& shape = *graph_.value(out).shape;
    const int64_t axis = shape.size() > 3 ? 1 : static_cast<int64_t>(shape.size()) - 1;
    const auto count = static_cast<size_t>(shape[static_cast<size_t>(axis)]);
    const double bound = static_cast<double>(*BoundOf(graph_, node(i)));
    Shape broadcast(shape.size() - static_cast<size_t>(axis), 1);
    broadcast[0] = static_cast<int64_t>(count);
    ASSIGN_OR_RETURN(Tensor bounds, Tensor::Make(DType::kF32, broadcast));
    double largest = 0;
    for (size_t c = 0; c < count; ++c) {
      const double own = bound * At(factors, static_cast<int64_t>(c));
      bounds.mutable_data<float>()[c] = static_cast<float>(own);
      largest = std::max(largest, static_cast<double>(static_cast<float>(own)));
    }
    const std::string name = graph_.value(out).name;
    ASSIGN_OR_RETURN(Tensor high, Tensor::Scalar(static_cast<float>(largest)));
    node(i).inputs[2] = graph_.AddConstant(name + "_highest", std::move(high));
    const ValueId clipped =
        graph_.AddValue(name + "_clipped", DType::kF32, graph_.value(out).shape);
    node(i).outputs[0] = clipped;
    const ValueId limit = graph_.AddConstant(name + "_bounds", std::move(bounds));
    graph_.AddNode(node(i).name + "_bounds", FindOp("Min"), {clipped, limit}, {out});
    return Ok();
  }

  Graph& graph_;
};

}  // namespace

Status ScaleChannels(Graph& graph, const std::vector<LinkedChannels>& classes,
                     const std::vector<double>& scales) {
  std::map<size_t, Factors> factors;
  for (size_t k = 0; k < classes.size(); ++k) {
    if (scales[k] == 1) continue;
    for (const NodeChannel& at : classes[k].writers)
      Set(&factors[at.node].written, at.channel, 1 / scales[k]);
    for (const NodeChannel& at : classes[k].readers)
      Set(&factors[at.node].read, at.channel, scales[k]);
    for (const NodeChannel& at : classes[k].shifts)
      Set(&factors[at.node].shift, at.channel, 1 / scales[k]);
    for (const NodeChannel& at : classes[k].clips)
      Set(&factors[at.node].clip, at.channel, 1 / scales[k]);
  }
  Scaler scaler(graph);
  for (const auto& [i, own] : factors) TRY(scaler.Apply(i, own).At(Place(graph.nodes[i])));
  TRY(SortTopologically(graph));
  Prune(graph);
  return InferShapes(graph);
}

}  // namespace intmill
