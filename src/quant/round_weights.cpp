// RoundByMoments: block by block, so that only one matrix of moments exists at a time.
#include "quant/round_weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "tensor/quantize.h"

namespace intmill {
namespace {

constexpr double kDamping = 0.01;

// One output channel's share of a block.
struct Row {
  std::vector<float> target;  // w / s + z
  std::vector<float> value;   // the integers
  float low = 0;              // the integers that it may hold
  float high = 0;
};

// How far the weight moves to the integer on the other side of its target; 0: it may not.
float StepOf(const Row& row, size_t i) {
  const float error = row.value[i] - row.target[i];
  if (error == 0 || std::fabs(error) > 1) return 0;  // exact, or clipped
  const float step = error > 0 ? -1.0f : 1.0f;
  const float moved = row.value[i] + step;
  return moved < row.low || moved > row.high ? 0 : step;
}

// M e, the gradient of e^T M e / 2.
std::vector<float> GradientOf(const Row& row, const std::vector<float>& moments) {
  const size_t n = row.value.size();
  std::vector<float> gradient(n);
  for (size_t i = 0; i < n; ++i) {
    const float error = row.value[i] - row.target[i];
    const float* const m = moments.data() + i * n;
    for (size_t j = 0; j < n; ++j) gradient[j] += m[j] * error;
  }
  return gradient;
}

void Descend(const std::vector<float>& moments, Row* row) {
  const size_t n = row->value.size();
  std::vector<float> gradient = GradientOf(*row, moments);
  std::vector<float> steps(n);
  std::vector<float> diagonal(n);
  for (size_t i = 0; i < n; ++i) {
    steps[i] = StepOf(*row, i);
    diagonal[i] = moments[i * n + i];
  }
  // Each step lowers the error; the bound only guards against rounding errors of the gradient.
  for (size_t left = 4 * n; left > 0; --left) {
    size_t best = n;
    float least = 0;
    for (size_t i = 0; i < n; ++i) {
      const float change = 2 * steps[i] * gradient[i] + diagonal[i] * steps[i] * steps[i];
      if (change < least) {
        least = change;
        best = i;
      }
    }
    // What is gained must exceed what floats lose.
    if (best == n || -least < 1e-6f * diagonal[best]) return;
    const float step = steps[best];
    row->value[best] += step;
    steps[best] = -step;
    const float* const m = moments.data() + best * n;
    for (size_t j = 0; j < n; ++j) gradient[j] += m[j] * step;
  }
}

class Rounder {
 public:
  Rounder(const Tensor& weight, const Tensor& quantized, int64_t axis,
          const InputChannels& channels)
      : weight_(weight),
        q_(*quantized.qparams()),
        axis_(axis),
        outputs_(weight.dim(axis)),
        inputs_(channels.count / channels.groups),
        outputs_of_group_(outputs_ / channels.groups),
        window_(weight.elements() / (outputs_ * inputs_)) {}

  template <typename T>
  void Run(const InputMoments& moments, bool centered, const T* from, T* to) const {
    for (size_t b = 0; b < moments.blocks().size(); ++b) {
      const InputMoments::Block& block = moments.blocks()[b];
      const std::vector<float> matrix = moments.Get(b, centered, kDamping);
      for (int64_t o = 0; o < outputs_of_group_; ++o) {
        const int64_t output = block.group * outputs_of_group_ + o;
        Row row = Read(output, block, from);
        Descend(matrix, &row);
        for (int64_t i = 0; i < block.size; ++i)
          to[At(output, block.begin + i)] = static_cast<T>(row.value[static_cast<size_t>(i)]);
      }
    }
  }

 private:
  // Where weight `entry` of an output channel lies: entries are input channels times the window.
  int64_t At(int64_t output, int64_t entry) const {
    const int64_t c = entry / window_;
    return (axis_ == 0 ? output * inputs_ + c : c * outputs_ + output) * window_ + entry % window_;
  }

  template <typename T>
  Row Read(int64_t output, const InputMoments::Block& block, const T* from) const {
    const size_t channel = q_.per_tensor() ? 0 : static_cast<size_t>(output);
    const auto zero = static_cast<float>(q_.zero_points[channel]);
    Row row;
    row.high = static_cast<float>(MaxOf(q_.dtype));
    row.low = static_cast<float>(MinOf(q_.dtype));
    // Symmetric weights are as many on both sides of their zero point.
    if (row.high - zero + 1 == zero - row.low) row.low += 1;
    for (int64_t i = 0; i < block.size; ++i) {
      const int64_t at = At(output, block.begin + i);
      row.target.push_back(weight_.data<float>()[at] / q_.scales[channel] + zero);
      row.value.push_back(static_cast<float>(from[at]));
    }
    return row;
  }

  const Tensor& weight_;
  const QParams& q_;
  const int64_t axis_;
  const int64_t outputs_;
  const int64_t inputs_;  // of one output
  const int64_t outputs_of_group_;
  const int64_t window_;
};

}  // namespace

Result<Tensor> RoundByMoments(const Tensor& weight, const Tensor& quantized, int64_t axis,
                              const InputChannels& channels, const InputMoments& moments,
                              bool centered) {
  const int64_t entries =
      channels.groups * weight.elements() / std::max<int64_t>(1, weight.dim(axis));
  if (moments.width() != entries)
    return Error(Code::kInvalidArgument, "the moments are of ", moments.width(),
                 " weights, wanted ", entries);
  if (moments.rows() == 0) return quantized;
  ASSIGN_OR_RETURN(Tensor out, Tensor::Make(quantized.dtype(), quantized.shape()));
  out.set_qparams(quantized.qparams());
  const Rounder rounder(weight, quantized, axis, channels);
  if (quantized.dtype() == DType::kS8) {
    rounder.Run(moments, centered, quantized.data<int8_t>(), out.mutable_data<int8_t>());
  } else {
    rounder.Run(moments, centered, quantized.data<uint8_t>(), out.mutable_data<uint8_t>());
  }
  return out;
}

}  // namespace intmill
