// Mean shift: sum over input channels c of E[x_c] * sum over the window of (w' - w).
#include "quant/bias_shift.h"

#include "ir/op.h"
#include "tensor/quantize.h"

namespace intmill {

InputChannels InputChannelsOf(const Node& node, const Tensor& weight) {
  InputChannels channels;
  if (node.op->weight_axis == nullptr || weight.rank() < 2) return channels;
  channels.is_spatial = node.op->layout == LayoutRule::kSpatial;
  const int64_t axis = node.op->weight_axis(node, weight.rank());
  const Result<int64_t> groups = node.attrs.Int("group", 1);
  const Result<int64_t> transposed = node.attrs.Int("transA", 0);
  // Input channels lie beside output channels: axis 1 of (M, C / groups, window), axis 0 of (K, N).
  const bool known = channels.is_spatial ? axis == 0 : weight.rank() == 2;
  if (!known || !groups.ok() || *groups < 1 || !transposed.ok() || *transposed != 0)
    return channels;
  channels.groups = *groups;
  channels.count = weight.dim(axis == 0 ? 1 : 0) * *groups;
  return channels;
}

Result<std::vector<double>> MeanShift(const Tensor& weight, const Tensor& quantized, int64_t axis,
                                      const InputChannels& channels,
                                      std::span<const double> means) {
  ASSIGN_OR_RETURN(const Tensor real, Dequantize(quantized));
  const int64_t outputs = weight.dim(axis);
  const int64_t inputs = channels.count / channels.groups;  // of one output
  const int64_t outputs_of_group = outputs / channels.groups;
  const int64_t window = weight.elements() / (outputs * inputs);
  std::vector<double> shift(static_cast<size_t>(outputs));
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t c = 0; c < inputs; ++c) {
      const int64_t begin = (axis == 0 ? o * inputs + c : c * outputs + o) * window;
      double difference = 0;
      for (int64_t i = begin; i < begin + window; ++i)
        difference += static_cast<double>(real.data<float>()[i]) -
                      static_cast<double>(weight.data<float>()[i]);
      const int64_t channel = o / outputs_of_group * inputs + c;
      shift[static_cast<size_t>(o)] += difference * means[static_cast<size_t>(channel)];
    }
  }
  return shift;
}

}  // namespace intmill
