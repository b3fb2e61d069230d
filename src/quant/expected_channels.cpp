// ExpectChannels: one walk in running order.
#include "quant/expected_channels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <utility>

#include "ir/op.h"
#include "passes/weighted.h"

namespace intmill {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Density(double z) {
  return std::isinf(z) ? 0 : std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
}
double Probability(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

// One value for all channels; nothing when it is not known before the model runs.
std::optional<double> Bound(const Graph& graph, const Node& node, size_t i, double fallback) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return fallback;
  const Tensor* const bound = graph.ConstantOf(node.inputs[i]);
  if (bound == nullptr || bound->dtype() != DType::kF32 || bound->elements() != 1) return {};
  return static_cast<double>(bound->data<float>()[0]);
}

class Expecter {
 public:
  explicit Expecter(const Graph& graph) : graph_(graph) {}

  ExpectedChannels Run() {
    for (const Node& node : graph_.nodes) {
      if (node.outputs.empty() || node.outputs[0] == kNoValue) continue;
      std::optional<ExpectedChannel> made = Made(node);
      if (made) known_[node.outputs[0]] = *std::move(made);
    }
    return std::move(known_);
  }

 private:
  const ExpectedChannel* Known(ValueId id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? nullptr : &found->second;
  }

  std::optional<ExpectedChannel> Made(const Node& node) const {
    if (std::optional<ExpectedChannel> normalized = Normalized(node)) return normalized;
    const ExpectedChannel* const in = node.inputs.empty() ? nullptr : Known(node.inputs[0]);
    if (in == nullptr) return {};
    if (node.op == FindOp("Relu")) return Clipped(*in, 0, kInfinity);
    if (node.op == FindOp("Clip")) {
      const std::optional<double> low = Bound(graph_, node, 1, -kInfinity);
      const std::optional<double> high = Bound(graph_, node, 2, kInfinity);
      if (low && high) return Clipped(*in, *low, *high);
    }
    // Min with one bound a channel: what equalization makes of a ReLU6.
    if (node.op == FindOp("Min") && node.inputs.size() == 2) return Bounded(*in, node.inputs[1]);
    if (node.op == FindOp("Add")) return Sum(*in, Known(node.inputs[1]));
    if (node.op == FindOp("GlobalAveragePool") || node.op == FindOp("Flatten"))
      return KeepsChannels(node) ? std::optional(ExpectedChannel{in->means, {}}) : std::nullopt;
    if (node.op == FindOp("Identity") || node.op == FindOp("Dropout")) return *in;
    return {};
  }

  std::optional<ExpectedChannel> Normalized(const Node& node) const {
    const auto means = node.attrs.Floats(kNormMean, {});
    const auto deviations = node.attrs.Floats(kNormDeviation, {});
    if (!means.ok() || !deviations.ok() || means->empty() || means->size() != deviations->size())
      return {};
    ExpectedChannel channel;
    channel.means.assign(means->begin(), means->end());
    for (const float d : *deviations)
      channel.variances.push_back(static_cast<double>(d) * static_cast<double>(d));
    return channel;
  }

  static std::optional<ExpectedChannel> Clipped(const ExpectedChannel& in, double low,
                                                double high) {
    return Clipped(in, low, std::vector<double>(in.means.size(), high));
  }
  static std::optional<ExpectedChannel> Clipped(const ExpectedChannel& in, double low,
                                                const std::vector<double>& highs) {
    if (in.variances.size() != in.means.size()) return {};
    ExpectedChannel out;
    for (size_t c = 0; c < in.means.size(); ++c) {
      const Moments made = ClippedNormal({in.means[c], in.variances[c]}, low, highs[c]);
      out.means.push_back(made.mean);
      out.variances.push_back(made.variance);
    }
    return out;
  }

  // The Clip before it has shaped the channel already; a second clip of a normal with the same
  // moments is close where the bound is beyond most values, which is where equalization puts it.
  std::optional<ExpectedChannel> Bounded(const ExpectedChannel& in, ValueId bounds) const {
    const Tensor* const highs = graph_.ConstantOf(bounds);
    if (highs == nullptr || highs->dtype() != DType::kF32 ||
        highs->elements() != static_cast<int64_t>(in.means.size()))
      return {};
    return Clipped(in, -kInfinity, {highs->values<float>().begin(), highs->values<float>().end()});
  }

  static std::optional<ExpectedChannel> Sum(const ExpectedChannel& a, const ExpectedChannel* b) {
    if (b == nullptr || a.means.size() != b->means.size()) return {};
    ExpectedChannel out = a;
    for (size_t c = 0; c < a.means.size(); ++c) out.means[c] += b->means[c];
    if (a.variances.size() != b->variances.size()) out.variances.clear();
    for (size_t c = 0; c < out.variances.size(); ++c) out.variances[c] += b->variances[c];
    return out;
  }

  // Of a Flatten: what is behind the channels is of size 1.
  bool KeepsChannels(const Node& node) const {
    const std::optional<Shape>& shape = graph_.value(node.inputs[0]).shape;
    if (node.op != FindOp("Flatten")) return true;
    return shape && shape->size() >= 2 &&
           std::all_of(shape->begin() + 2, shape->end(), [](int64_t d) { return d == 1; });
  }

  const Graph& graph_;
  ExpectedChannels known_;
};

}  // namespace

ExpectedChannels ExpectChannels(const Graph& graph) { return Expecter(graph).Run(); }

// With a = (low - m) / s and b = (high - m) / s, and phi, Phi of the standard normal variable z:
// E[z; a < z < b] = phi(a) - phi(b) and E[z^2; a < z < b] = Phi(b) - Phi(a) + a phi(a) - b phi(b).
Moments ClippedNormal(Moments normal, double low, double high) {
  const double m = normal.mean;
  const double s = std::sqrt(std::max(normal.variance, 0.0));
  if (s == 0) return {std::clamp(m, low, high), 0};
  const double a = (low - m) / s;
  const double b = (high - m) / s;
  const double inside = Probability(b) - Probability(a);
  const double first = Density(a) - Density(b);
  const double second =
      inside + (std::isinf(a) ? 0 : a * Density(a)) - (std::isinf(b) ? 0 : b * Density(b));
  const double below = std::isinf(low) ? 0 : Probability(a);
  const double above = std::isinf(high) ? 0 : Probability(-b);
  const double at_low = below == 0 ? 0 : low;
  const double at_high = above == 0 ? 0 : high;
  const double mean = m * inside + s * first + at_low * below + at_high * above;
  const double square = m * m * inside + 2 * m * s * first + s * s * second +
                        at_low * at_low * below + at_high * at_high * above;
  return {mean, std::max(square - mean * mean, 0.0)};
}

}  // namespace intmill
