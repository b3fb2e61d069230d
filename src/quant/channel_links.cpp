// LinkChannels: one element a channel of each value, joined or ruled out node by node. Asks some
// operators for their names: that a function f has f(s x) = s f(x) for s > 0 is no trait yet.
#include "quant/channel_links.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "ir/op.h"
#include "quant/bias_shift.h"
#include "quant/layers.h"

namespace intmill {
namespace {

// One input, one output, f(s x) = s f(x), channels stay where they are.
constexpr std::array<std::string_view, 11> kHomogeneous = {"Relu",
                                                           "LeakyRelu",
                                                           "MaxPool",
                                                           "AveragePool",
                                                           "GlobalAveragePool",
                                                           "GlobalMaxPool",
                                                           "Identity",
                                                           "Dropout",
                                                           "Abs",
                                                           "PRelu",
                                                           "Neg"};
constexpr std::array<std::string_view, 4> kReshapes = {"Flatten", "Reshape", "Squeeze",
                                                       "Unsqueeze"};

bool IsAnyOf(std::span<const std::string_view> names, const OpDef& op) {
  return op.domain.empty() && std::find(names.begin(), names.end(), op.name) != names.end();
}

// A product of which each weight belongs to one input and one output channel, and its constants to
// nobody else.
struct Product {
  InputChannels channels;
  int64_t outputs = 0;
};

class Linker {
 public:
  explicit Linker(const Graph& graph) : graph_(graph), uses_(FindUses(graph)) {
    for (const Node& node : graph.nodes) {
      if (node.op->layout != LayoutRule::kSpatial) continue;
      for (const ValueId id : {node.inputs[0], node.outputs[0]})
        if (id != kNoValue && graph.value(id).shape && graph.value(id).shape->size() == 3)
          pictures_have_3_ = true;
    }
    first_.resize(graph.values.size() + 1);
    for (size_t id = 0; id < graph.values.size(); ++id)
      first_[id + 1] = first_[id] + Channels(static_cast<ValueId>(id));
    parent_.resize(static_cast<size_t>(first_.back()));
    std::iota(parent_.begin(), parent_.end(), size_t{0});
    fixed_.resize(parent_.size());
  }

  std::vector<LinkedChannels> Run() {
    for (const ValueId id : graph_.inputs) Fix(id);
    for (const ValueId id : graph_.outputs) Fix(id);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) Link(i);
    return Collect();
  }

 private:
  // The dimension of channels: the last, of pictures the second.
  std::optional<size_t> Axis(ValueId id) const {
    if (id == kNoValue || !IsActivation(graph_, id) || !graph_.value(id).shape) return {};
    const size_t rank = graph_.value(id).shape->size();
    if (rank < 2) return {};
    return rank >= 4 || (rank == 3 && pictures_have_3_) ? 1 : rank - 1;
  }
  int64_t Channels(ValueId id) const {
    const std::optional<size_t> axis = Axis(id);
    return axis ? std::max<int64_t>((*graph_.value(id).shape)[*axis], 0) : 0;
  }

  size_t Find(size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  size_t Element(ValueId id, int64_t channel) const {
    return static_cast<size_t>(first_[static_cast<size_t>(id)] + channel);
  }
  void Join(ValueId a, int64_t channel_a, ValueId b, int64_t channel_b) {
    const size_t x = Find(Element(a, channel_a));
    const size_t y = Find(Element(b, channel_b));
    parent_[std::max(x, y)] = std::min(x, y);
  }
  void Fix(ValueId id) {
    if (id == kNoValue) return;
    for (int64_t c = 0; c < Channels(id); ++c) fixed_[Element(id, c)] = true;
  }
  void FixAll(const Node& node) {
    for (const ValueId id : node.inputs) Fix(id);
    for (const ValueId id : node.outputs) Fix(id);
  }

  bool HaveOneShape(ValueId a, ValueId b) const {
    return Axis(a) && graph_.value(a).shape == graph_.value(b).shape;
  }
  void JoinAll(ValueId a, ValueId b) {
    for (int64_t c = 0; c < Channels(a); ++c) Join(a, c, b, c);
  }

  const Tensor* OwnConstant(ValueId id) const {
    const Tensor* constant = graph_.ConstantOf(id);
    const bool is_own = constant != nullptr && constant->dtype() == DType::kF32 &&
                        uses_.consumers[static_cast<size_t>(id)].size() == 1 &&
                        !uses_.is_output[static_cast<size_t>(id)];
    return is_own ? constant : nullptr;
  }

  std::optional<Product> ProductOf(const Node& node) const {
    if (!HasConstantWeight(graph_, node) || node.outputs.size() != 1) return {};
    const Tensor* const weight = OwnConstant(node.inputs[1]);
    if (weight == nullptr) return {};
    const InputChannels channels = InputChannelsOf(node, *weight);
    const Result<float> alpha = node.attrs.Float("alpha", 1);
    const Result<float> beta = node.attrs.Float("beta", 1);
    if (channels.count == 0 || !alpha.ok() || *alpha != 1 || !beta.ok() || *beta != 1) return {};
    const int64_t outputs = weight->dim(node.op->weight_axis(node, weight->rank()));
    const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    if (has_bias) {
      const Tensor* const bias = OwnConstant(node.inputs[2]);
      if (bias == nullptr || bias->rank() < 1 || bias->elements() != outputs ||
          bias->shape().back() != outputs)
        return {};
    }
    const bool fits = Channels(node.inputs[0]) == channels.count &&
                      Channels(node.outputs[0]) == outputs &&
                      (channels.is_spatial == (Axis(node.inputs[0]) == std::optional<size_t>(1)) ||
                       graph_.value(node.inputs[0]).shape->size() == 2);
    if (!fits) return {};
    return Product{channels, outputs};
  }

  void Link(size_t i) {
    const Node& node = graph_.nodes[i];
    if (node.op->Has(kShapeOnly)) return;
    if (ProductOf(node) || IsNorm(node)) {
      if (IsNorm(node)) Fix(node.inputs[0]);
      return;
    }
    if (node.inputs.empty() || node.outputs.empty()) return FixAll(node);
    const bool has_one = std::all_of(node.outputs.begin() + 1, node.outputs.end(),
                                     [](ValueId id) { return id == kNoValue; });
    const bool reads_one = node.op == FindOp("Concat") || node.op == FindOp("Add") ||
                           std::none_of(node.inputs.begin() + 1, node.inputs.end(),
                                        [&](ValueId id) { return IsActivation(graph_, id); });
    if (!has_one || !reads_one) return FixAll(node);
    const ValueId in = node.inputs[0];
    const ValueId out = node.outputs[0];
    if ((IsAnyOf(kHomogeneous, *node.op) || HasScalableBound(node)) && Channels(in) > 0 &&
        Channels(in) == Channels(out)) {
      JoinAll(in, out);
    } else if (IsAnyOf(kReshapes, *node.op) && KeepsChannels(in, out)) {
      JoinAll(in, out);
    } else if (node.op == FindOp("Concat") && LinkConcat(node)) {
    } else if (node.op == FindOp("Add") && LinkAdd(i)) {
    } else {
      FixAll(node);
    }
  }

  // Of rows of pictures no constant says by its shape which dimension its bounds belong to.
  bool HasScalableBound(const Node& node) const {
    return BoundOf(graph_, node) && Axis(node.outputs[0]) &&
           (graph_.value(node.outputs[0]).shape->size() != 3 || !pictures_have_3_);
  }

  // Everything but the channels is of size 1, or nothing but ones comes or goes.
  bool KeepsChannels(ValueId in, ValueId out) const {
    if (Channels(in) == 0 || Channels(in) != Channels(out)) return false;
    const Shape& a = *graph_.value(in).shape;
    const Shape& b = *graph_.value(out).shape;
    const auto is_point = [](const Shape& shape, size_t axis) {
      return std::all_of(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(),
                         [](int64_t d) { return d == 1; });
    };
    return (is_point(a, *Axis(in)) && is_point(b, *Axis(out))) ||
           (*Axis(in) + 1 == a.size() && *Axis(out) + 1 == b.size());
  }

  bool LinkConcat(const Node& node) {
    const ValueId out = node.outputs[0];
    const std::optional<size_t> at = Axis(out);
    const Result<int64_t> axis = node.attrs.Int("axis", 0);
    if (!at || !axis.ok()) return false;
    const auto rank = static_cast<int64_t>(graph_.value(out).shape->size());
    const bool is_channels = (*axis + rank) % rank == static_cast<int64_t>(*at);
    int64_t first = 0;
    for (const ValueId id : node.inputs) first += Channels(id);
    if (first !=
        (is_channels ? Channels(out) : Channels(out) * static_cast<int64_t>(node.inputs.size())))
      return false;
    first = 0;
    for (const ValueId id : node.inputs) {
      for (int64_t c = 0; c < Channels(id); ++c) Join(id, c, out, first + c);
      if (is_channels) first += Channels(id);
    }
    return true;
  }

  bool LinkAdd(size_t i) {
    const Node& node = graph_.nodes[i];
    const ValueId out = node.outputs[0];
    for (const size_t side : {0, 1}) {
      const ValueId in = node.inputs[side];
      const Tensor* const shift = OwnConstant(node.inputs[1 - side]);
      if (shift == nullptr || !HaveOneShape(in, out)) continue;
      const bool is_row = shift->rank() >= 1 && shift->elements() == Channels(out) &&
                          shift->dim(shift->rank() - 1) == Channels(out) &&
                          *Axis(out) + 1 == graph_.value(out).shape->size();
      if (!is_row) return false;
      JoinAll(in, out);
      return true;
    }
    if (!HaveOneShape(node.inputs[0], out) || !HaveOneShape(node.inputs[1], out)) return false;
    JoinAll(node.inputs[0], out);
    JoinAll(node.inputs[1], out);
    return true;
  }

  bool IsNorm(const Node& node) const {
    if (node.op != FindOp("LayerNormalization") || node.inputs.size() < 2) return false;
    const int64_t channels = Channels(node.outputs[0]);
    for (size_t k = 1; k < node.inputs.size(); ++k) {
      const Tensor* const constant = OwnConstant(node.inputs[k]);
      if (constant == nullptr || constant->elements() != channels) return false;
    }
    return *Axis(node.outputs[0]) + 1 == graph_.value(node.outputs[0]).shape->size();
  }

  std::vector<LinkedChannels> Collect() {
    std::vector<bool> is_fixed(parent_.size());
    for (size_t e = 0; e < parent_.size(); ++e)
      if (fixed_[e]) is_fixed[Find(e)] = true;
    std::map<size_t, LinkedChannels> classes;
    const auto all = [&](ValueId id, auto&& fn) {
      for (int64_t c = 0; c < Channels(id); ++c)
        if (const size_t root = Find(Element(id, c)); !is_fixed[root]) fn(classes[root], c);
    };
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Node& node = graph_.nodes[i];
      const auto add = [&](std::vector<NodeChannel> LinkedChannels::*list) {
        return [=](LinkedChannels& found, int64_t c) { (found.*list).push_back({i, c}); };
      };
      if (ProductOf(node)) all(node.inputs[0], add(&LinkedChannels::readers));
      if (ProductOf(node) || IsNorm(node)) all(node.outputs[0], add(&LinkedChannels::writers));
      if (HasScalableBound(node)) all(node.outputs[0], add(&LinkedChannels::clips));
      if (node.op == FindOp("Add") &&
          (graph_.ConstantOf(node.inputs[0]) || graph_.ConstantOf(node.inputs[1])))
        all(node.outputs[0], add(&LinkedChannels::shifts));
    }
    for (size_t id = 0; id < graph_.values.size(); ++id)
      all(static_cast<ValueId>(id), [&](LinkedChannels& found, int64_t c) {
        found.values.push_back({id, c});
      });
    std::vector<LinkedChannels> useful;
    for (auto& [root, found] : classes)
      if (!found.writers.empty() && !found.readers.empty()) useful.push_back(std::move(found));
    std::sort(useful.begin(), useful.end(), [](const LinkedChannels& a, const LinkedChannels& b) {
      return std::pair(a.writers[0].node, a.writers[0].channel) <
             std::pair(b.writers[0].node, b.writers[0].channel);
    });
    return useful;
  }

  const Graph& graph_;
  const Uses uses_;
  bool pictures_have_3_ = false;
  std::vector<int64_t> first_;  // element of each value's first channel
  std::vector<size_t> parent_;
  std::vector<bool> fixed_;
};

}  // namespace

std::optional<float> BoundOf(const Graph& graph, const Node& node) {
  if (node.op != FindOp("Clip") || node.inputs.size() < 3) return {};
  const Tensor* const low = graph.ConstantOf(node.inputs[1]);
  const Tensor* const high = graph.ConstantOf(node.inputs[2]);
  for (const Tensor* const bound : {low, high})
    if (bound == nullptr || bound->dtype() != DType::kF32 || bound->elements() != 1) return {};
  const float top = high->data<float>()[0];
  if (low->data<float>()[0] != 0 || !(top > 0) || !std::isfinite(top)) return {};
  return top;
}

std::vector<LinkedChannels> LinkChannels(const Graph& graph) { return Linker(graph).Run(); }

}  // namespace intmill
