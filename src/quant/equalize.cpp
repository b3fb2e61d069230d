// Equalize: ranges of weights under the scales found so far, and the scales that level them.
#include "quant/equalize.h"

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

constexpr int kMostRounds = 30;
constexpr double kSettled = 1e-3;  // the largest change of a scale's logarithm in a round
// What weights gain beyond it activations lose, which share one scale, too.
constexpr double kLargestScale = 16;
// A channel whose bias is larger than its weights times this is ruled by its bias: leveling its
// weights would make it the largest of all (Nagel et al. 2019, 4.1.3, absorb such biases instead).
constexpr double kUsualInput = 6;

class Equalizer {
 public:
  Equalizer(const Graph& graph, const std::vector<LinkedChannels>& classes)
      : graph_(graph), classes_(classes), scales_(classes.size(), 1.0) {
    for (const LinkedChannels& linked : classes)
      for (const auto* list : {&linked.writers, &linked.readers})
        for (const NodeChannel& at : *list)
          if (graph.nodes[at.node].op->weight_axis != nullptr && !ranges_.contains(at.node))
            ranges_.emplace(at.node, WeightRanges(graph, graph.nodes[at.node]));
  }

  std::vector<double> Run() {
    for (int round = 0; round < kMostRounds; ++round) {
      double largest_change = 0;
      for (size_t k = 0; k < classes_.size(); ++k)
        largest_change = std::max(largest_change, std::fabs(std::log(Level(k))));
      if (largest_change < kSettled) break;
    }
    return std::move(scales_);
  }

 private:
  // The factor by which the scale of a class changes.
  double Level(size_t k) {
    double written = 0;
    double read = 0;
    for (const NodeChannel& at : classes_[k].writers)
      if (const auto r = ranges_.find(at.node); r != ranges_.end())
        written = std::max(
            {written, r->second.Written(at.channel), BiasOf(at) / kUsualInput / scales_[k]});
    for (const NodeChannel& at : classes_[k].readers)
      read = std::max(read, ranges_.at(at.node).Read(at.channel));
    if (!(written > 0) || !(read > 0)) return 1;
    const double wanted =
        std::clamp(scales_[k] * std::sqrt(written / read), 1 / kLargestScale, kLargestScale);
    const double change = wanted / scales_[k];
    scales_[k] = wanted;
    for (const NodeChannel& at : classes_[k].writers)
      if (const auto r = ranges_.find(at.node); r != ranges_.end())
        r->second.ScaleOutput(at.channel, 1 / change);
    for (const NodeChannel& at : classes_[k].readers)
      ranges_.at(at.node).ScaleInput(at.channel, change);
    return change;
  }

  double BiasOf(const NodeChannel& at) const {
    const Node& node = graph_.nodes[at.node];
    const Tensor* const bias = node.inputs.size() > 2 ? graph_.ConstantOf(node.inputs[2]) : nullptr;
    if (bias == nullptr) return 0;
    return std::fabs(static_cast<double>(bias->data<float>()[at.channel]));
  }

  const Graph& graph_;
  const std::vector<LinkedChannels>& classes_;
  std::vector<double> scales_;
  std::map<size_t, WeightRanges> ranges_;
};

}  // namespace

Result<Equalized> Equalize(const Graph& graph, bool with_clips, const Hooks& hooks) {
  if (IsQuantized(graph)) return Error(Code::kState, "the model is quantized already");
  TRY(hooks.Progress("equalize", 0, 1));
  Equalized out;
  out.graph = graph;
  TRY(InferShapes(out.graph));
  std::vector<LinkedChannels> classes = LinkChannels(out.graph);
  if (!with_clips)
    std::erase_if(classes, [](const LinkedChannels& linked) { return !linked.clips.empty(); });
  const std::vector<double> scales = Equalizer(out.graph, classes).Run();
  std::map<size_t, bool> clips;
  for (size_t k = 0; k < classes.size(); ++k) {
    if (scales[k] == 1) continue;
    out.channels += static_cast<int64_t>(classes[k].values.empty() ? 0 : 1);
    for (const NodeChannel& at : classes[k].clips) clips[at.node] = true;
  }
  out.clips = static_cast<int64_t>(clips.size());
  TRY(ScaleChannels(out.graph, classes, scales));
  if (out.channels > 0) out.graph.metadata["intmill.equalized"] = Cat(out.channels, " channels");
  hooks.Log(LogLevel::kInfo, Cat("equalized ", out.channels, " channels; ", out.clips,
                                 " clips have a bound for each channel now"));
  return out;
}

}  // namespace intmill
