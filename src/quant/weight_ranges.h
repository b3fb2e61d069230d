// How large the weights of a product are between each input and each output channel, and what
// scaling channels makes of that.
#ifndef INTMILL_QUANT_WEIGHT_RANGES_H
#define INTMILL_QUANT_WEIGHT_RANGES_H

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace intmill {

class WeightRanges {
 public:
  // The node has InputChannels with a count.
  WeightRanges(const Graph& graph, const Node& node);

  int64_t outputs() const { return outputs_; }
  int64_t inputs() const { return inputs_ * (outputs_ / outputs_of_group_); }
  int64_t inputs_of_output() const { return inputs_; }
  int64_t window() const { return window_; }
  int64_t FirstInputOf(int64_t output) const { return output / outputs_of_group_ * inputs_; }

  // Largest |w| over the window between an output and the i-th of its inputs.
  float Largest(int64_t output, int64_t i) const {
    return largest_[static_cast<size_t>(output * inputs_ + i)];
  }
  double Written(int64_t output) const;  // largest |w| that writes the channel
  double Read(int64_t input) const;      // largest |w| that reads the channel
  double Square(int64_t input) const {   // sum of w^2 over what reads the channel
    return squares_[static_cast<size_t>(input)];
  }
  // Do not change Square.
  void ScaleOutput(int64_t output, double factor);
  void ScaleInput(int64_t input, double factor);

 private:
  void Multiply(int64_t i, double factor);

  int64_t outputs_ = 0;
  int64_t inputs_ = 0;  // of one output
  int64_t outputs_of_group_ = 1;
  int64_t window_ = 1;
  std::vector<float> largest_;  // [output][input]
  std::vector<double> squares_;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_WEIGHT_RANGES_H
