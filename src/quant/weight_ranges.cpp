// WeightRanges: one walk over the weights.
#include "quant/weight_ranges.h"

#include <algorithm>
#include <cmath>

#include "ir/op.h"
#include "quant/bias_shift.h"

namespace intmill {

WeightRanges::WeightRanges(const Graph& graph, const Node& node) {
  const Tensor& weight = *graph.ConstantOf(node.inputs[1]);
  const InputChannels channels = InputChannelsOf(node, weight);
  const int64_t axis = node.op->weight_axis(node, weight.rank());
  outputs_ = weight.dim(axis);
  inputs_ = channels.count / channels.groups;
  outputs_of_group_ = outputs_ / channels.groups;
  window_ = weight.elements() / (outputs_ * inputs_);
  squares_.resize(static_cast<size_t>(channels.count));
  for (int64_t o = 0; o < outputs_; ++o) {
    for (int64_t c = 0; c < inputs_; ++c) {
      const float* const w =
          weight.data<float>() + (axis == 0 ? o * inputs_ + c : c * outputs_ + o) * window_;
      float largest = 0;
      double square = 0;
      for (int64_t k = 0; k < window_; ++k) {
        largest = std::max(largest, std::fabs(w[k]));
        square += static_cast<double>(w[k]) * static_cast<double>(w[k]);
      }
      largest_.push_back(largest);
      squares_[static_cast<size_t>(FirstInputOf(o) + c)] += square;
    }
  }
}

double WeightRanges::Written(int64_t output) const {
  const float* const row = largest_.data() + output * inputs_;
  return static_cast<double>(*std::max_element(row, row + inputs_));
}

double WeightRanges::Read(int64_t input) const {
  float largest = 0;
  const int64_t first = input / inputs_ * outputs_of_group_;
  for (int64_t o = first; o < first + outputs_of_group_; ++o)
    largest = std::max(largest, Largest(o, input % inputs_));
  return static_cast<double>(largest);
}

void WeightRanges::ScaleOutput(int64_t output, double factor) {
  for (int64_t c = 0; c < inputs_; ++c) Multiply(output * inputs_ + c, factor);
}

void WeightRanges::ScaleInput(int64_t input, double factor) {
  const int64_t first = input / inputs_ * outputs_of_group_;
  for (int64_t o = first; o < first + outputs_of_group_; ++o)
    Multiply(o * inputs_ + input % inputs_, factor);
}

void WeightRanges::Multiply(int64_t i, double factor) {
  float& x = largest_[static_cast<size_t>(i)];
  x = static_cast<float>(static_cast<double>(x) * factor);
}

}  // namespace intmill
