// Figures: sums that merge, and the comparison of outputs.
#include "quant/figures.h"

#include <algorithm>
#include <limits>

namespace intmill {
namespace {

// The values lie as [.., channel, inner]; count 0 where the tensor does not have these channels.
InputChannels ChannelsIn(const Replay::Value& value, InputChannels channels, int64_t* inner) {
  *inner = 1;
  const Tensor& t = value.tensor;
  const bool is_first = channels.is_spatial && value.layout == Layout::kPlain;
  if (t.rank() < 2) return {};
  if (is_first)
    for (int64_t d = 2; d < t.rank(); ++d) *inner *= t.dim(d);
  if (t.dim(is_first ? 1 : t.rank() - 1) != channels.count) return {};
  return channels;
}

}  // namespace

void Figures::Merge(const Figures& other) {
  layer.Merge(other.layer);
  outputs.resize(std::max(outputs.size(), other.outputs.size()));
  for (size_t i = 0; i < other.outputs.size(); ++i) outputs[i].Merge(other.outputs[i]);
  input.Merge(other.input);
  agreeing += other.agreeing;
  hits += other.hits;
}

double Figures::WorstSqnr() const {
  double worst = std::numeric_limits<double>::infinity();
  for (const SignalSums& output : outputs) worst = std::min(worst, output.SqnrDb());
  return worst;
}

double Figures::WorstCosine() const {
  double worst = 1;
  for (const SignalSums& output : outputs) worst = std::min(worst, output.Cosine());
  return worst;
}

std::vector<int64_t> BestOfRows(const Tensor& output) {
  std::vector<int64_t> best;
  if (output.dtype() != DType::kF32 || output.rank() == 0 || output.elements() == 0) return best;
  const int64_t classes = output.dim(output.rank() - 1);
  const float* row = output.data<float>();
  for (int64_t i = 0; i < output.elements() / classes; ++i, row += classes)
    best.push_back(std::max_element(row, row + classes) - row);
  return best;
}

void CompareOutputs(const Reference& reference, std::span<const Tensor> found, Figures* figures) {
  figures->outputs.resize(found.size());
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i].dtype() == DType::kF32)
      figures->outputs[i].Add(reference.outputs[i].values<float>(), found[i].values<float>());
  if (reference.best.empty()) return;
  const std::vector<int64_t> best = BestOfRows(found[0]);
  for (size_t row = 0; row < best.size(); ++row) {
    figures->agreeing += best[row] == reference.best[row] ? 1 : 0;
    if (!reference.targets.empty()) figures->hits += best[row] == reference.targets[row] ? 1 : 0;
  }
}

void AddInput(const Replay::Value& input, const Twin& twin, Figures* figures) {
  if (input.tensor.dtype() != DType::kF32) return;
  int64_t inner = 1;
  const InputChannels channels = ChannelsIn(input, twin.channels, &inner);
  figures->input.Add(input.tensor.values<float>(),
                     twin.input_params ? &*twin.input_params : nullptr, channels.count, inner);
}

}  // namespace intmill
