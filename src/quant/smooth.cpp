// Smooth: groups of activations that share channels, and a search over alpha for each.
#include "quant/smooth.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "ir/infer.h"
#include "ir/op.h"
#include "quant/channel_links.h"
#include "quant/quantize_graph.h"
#include "quant/weight_ranges.h"

namespace intmill {
namespace {

constexpr int kAlphas = 19;  // 0.05 to 0.95
constexpr double kLargestScale = 1e4;

// A product that reads the channels of a group.
struct Reader {
  WeightRanges ranges;
  std::vector<float> maxima;    // of each input channel
  std::vector<double> squares;  // mean of x^2
  bool has_negatives = false;
  std::vector<std::pair<int64_t, size_t>> scaled;  // input channel, index of its class
};

using Group = std::vector<size_t>;  // indices of classes

class Smoother {
 public:
  Smoother(const Graph& graph, const FindStatistics& find,
           const std::vector<LinkedChannels>& classes, bool per_channel)
      : classes_(classes), per_channel_(per_channel), scales_(classes.size(), 1.0) {
    for (size_t k = 0; k < classes.size(); ++k)
      for (const NodeChannel& at : classes[k].readers) AddReader(graph, find, at, k);
  }

  std::vector<double> Run(std::optional<double> alpha) {
    for (const Group& group : Groups()) {
      if (alpha) {
        SetScales(group, *alpha);
        continue;
      }
      double least = Noise(group);
      std::optional<double> best;
      for (int i = 1; i <= kAlphas; ++i) {
        const double tried = 0.05 * i;
        SetScales(group, tried);
        const double noise = Noise(group);
        if (noise >= least) continue;
        least = noise;
        best = tried;
      }
      if (best) {
        SetScales(group, *best);
      } else {
        for (const size_t k : group) scales_[k] = 1;
      }
    }
    return scales_;
  }

 private:
  void AddReader(const Graph& graph, const FindStatistics& find, const NodeChannel& at, size_t k) {
    const Node& node = graph.nodes[at.node];
    if (!readers_.contains(at.node)) {
      const ValueStatistics* const seen = find(graph.value(node.inputs[0]).name);
      Reader reader{.ranges = WeightRanges(graph, node)};
      if (seen != nullptr) {
        reader.maxima = seen->channel_maxima();
        reader.squares = seen->channel_squares();
        reader.has_negatives = seen->min() < 0;
      }
      readers_.emplace(at.node, std::move(reader));
    }
    readers_.at(at.node).scaled.emplace_back(at.channel, k);
  }

  bool IsKnown(const Reader& reader) const {
    return static_cast<int64_t>(reader.maxima.size()) == reader.ranges.inputs();
  }

  // Classes that some product reads together, as long as all of their readers were observed.
  std::vector<Group> Groups() const {
    std::vector<size_t> group_of(classes_.size());
    for (size_t k = 0; k < group_of.size(); ++k) group_of[k] = k;
    const auto find = [&](size_t k) {
      while (group_of[k] != k) k = group_of[k];
      return k;
    };
    for (const auto& [node, reader] : readers_)
      for (const auto& [channel, k] : reader.scaled) {
        const size_t a = find(k);
        const size_t b = find(reader.scaled.front().second);
        group_of[std::max(a, b)] = std::min(a, b);
      }
    std::vector<bool> is_known(classes_.size(), true);
    for (const auto& [node, reader] : readers_)
      if (!IsKnown(reader)) is_known[find(reader.scaled.front().second)] = false;
    std::map<size_t, Group> groups;
    for (size_t k = 0; k < classes_.size(); ++k)
      if (is_known[find(k)]) groups[find(k)].push_back(k);
    std::vector<Group> all;
    for (auto& [root, group] : groups) all.push_back(std::move(group));
    return all;
  }

  void SetScales(const Group& group, double alpha) {
    for (const size_t k : group) {
      double x = 0;
      double w = 0;
      for (const NodeChannel& at : classes_[k].readers) {
        const Reader& reader = readers_.at(at.node);
        x = std::max(x, static_cast<double>(reader.maxima[static_cast<size_t>(at.channel)]));
        w = std::max(w, reader.ranges.Read(at.channel));
      }
      scales_[k] = x > 0 && w > 0 ? std::clamp(std::pow(x, alpha) / std::pow(w, 1 - alpha),
                                               1 / kLargestScale, kLargestScale)
                                  : 1.0;
    }
  }

  // Of all products that read channels of the group, relative to their results.
  double Noise(const Group& group) const {
    double noise = 0;
    for (const auto& [node, reader] : readers_)
      if (std::binary_search(group.begin(), group.end(), reader.scaled.front().second))
        noise += Noise(reader);
    return noise;
  }

  // A step d of rounding leaves d^2 / 12. The step of x / s is its range over 255, that of an
  // output channel's weights s w their largest over 127.
  double Noise(const Reader& reader) const {
    const WeightRanges& ranges = reader.ranges;
    std::vector<double> s(static_cast<size_t>(ranges.inputs()), 1.0);
    for (const auto& [channel, k] : reader.scaled) s[static_cast<size_t>(channel)] = scales_[k];
    double range = 0;
    double gain = 0;    // of an activation's noise
    double signal = 0;  // as if channels were independent
    for (size_t c = 0; c < s.size(); ++c) {
      const double square = ranges.Square(static_cast<int64_t>(c));
      range = std::max(range, static_cast<double>(reader.maxima[c]) / s[c]);
      gain += s[c] * s[c] * square;
      signal += reader.squares[c] * square;
    }
    const double activation_step = (reader.has_negatives ? 2 : 1) * range / 255;
    double noise = activation_step * activation_step / 12 * gain;

    double widest = 0;
    std::vector<double> steps(static_cast<size_t>(ranges.outputs()));
    for (int64_t o = 0; o < ranges.outputs(); ++o) {
      double largest = 0;
      for (int64_t i = 0; i < ranges.inputs_of_output(); ++i)
        largest = std::max(largest, static_cast<double>(ranges.Largest(o, i)) *
                                        s[static_cast<size_t>(ranges.FirstInputOf(o) + i)]);
      steps[static_cast<size_t>(o)] = largest / 127;
      widest = std::max(widest, largest / 127);
    }
    for (int64_t o = 0; o < ranges.outputs(); ++o) {
      const double step = per_channel_ ? steps[static_cast<size_t>(o)] : widest;
      double power = 0;
      for (int64_t i = 0; i < ranges.inputs_of_output(); ++i) {
        const auto c = static_cast<size_t>(ranges.FirstInputOf(o) + i);
        power += reader.squares[c] / (s[c] * s[c]);
      }
      noise += step * step / 12 * power * static_cast<double>(ranges.window());
    }
    return signal > 0 ? noise / signal : 0;
  }

  const std::vector<LinkedChannels>& classes_;
  const bool per_channel_;
  std::vector<double> scales_;
  std::map<size_t, Reader> readers_;  // by node
};

}  // namespace

Result<Smoothed> Smooth(const Graph& graph, const FindStatistics& find, std::optional<double> alpha,
                        bool per_channel, const Hooks& hooks) {
  if (IsQuantized(graph)) return Error(Code::kState, "the model is quantized already");
  TRY(hooks.Progress("smooth", 0, 1));
  Smoothed out;
  out.graph = graph;
  TRY(InferShapes(out.graph));
  std::vector<LinkedChannels> classes = LinkChannels(out.graph);
  std::erase_if(classes, [](const LinkedChannels& linked) { return !linked.clips.empty(); });
  const std::vector<double> scales = Smoother(out.graph, find, classes, per_channel).Run(alpha);
  std::map<ValueId, bool> activations;
  for (size_t k = 0; k < classes.size(); ++k) {
    if (scales[k] == 1) continue;
    ++out.channels;
    for (const NodeChannel& at : classes[k].readers)
      activations[out.graph.nodes[at.node].inputs[0]] = true;
  }
  out.activations = static_cast<int64_t>(activations.size());
  TRY(ScaleChannels(out.graph, classes, scales));
  if (out.channels > 0) out.graph.metadata["intmill.smoothed"] = Cat(out.channels, " channels");
  hooks.Log(LogLevel::kInfo,
            Cat("smoothed ", out.channels, " channels of ", out.activations, " activations"));
  return out;
}

}  // namespace intmill
