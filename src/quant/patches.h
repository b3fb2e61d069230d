// Samples of what a product multiplies with its weights: rows of a matrix, or windows of a picture.
#ifndef INTMILL_QUANT_PATCHES_H
#define INTMILL_QUANT_PATCHES_H

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "ir/op.h"
#include "quant/bias_shift.h"
#include "tensor/qparams.h"
#include "tensor/tensor.h"

namespace intmill {

class PatchReader {
 public:
  // Rows taken of one sample, at most.
  static constexpr int64_t kMostOfSample = 64;

  // Nothing for products whose weights are not one matrix or window for all of the input.
  static std::optional<PatchReader> Of(const Graph& graph, const Node& node);

  int64_t groups() const { return channels_.groups; }
  int64_t entries() const { return channels_.count / channels_.groups * window_; }  // of a group

  // Appends rows of groups() * entries() integers without their zero point, in the order of the
  // weights of an output channel. Which ones depends on the sample alone. `input` is in memory
  // order and begins with the dimension of `samples`, unless it is one sample.
  void Read(const Tensor& input, Layout layout, int64_t samples, const QParams& q,
            std::vector<int16_t>* rows) const;

 private:
  using Three = std::array<int64_t, 3>;
  struct Picture;

  void ReadRow(const Picture& picture, int64_t position, const QParams& q, int16_t* row) const;
  Three OutputSizes(const Three& sizes, Three* pads) const;

  InputChannels channels_;
  int64_t window_ = 1;
  // Of the last three dimensions; those that a picture does not have are 1.
  Three kernel_ = {1, 1, 1};
  Three strides_ = {1, 1, 1};
  Three dilations_ = {1, 1, 1};
  Three pads_ = {0, 0, 0};      // in front
  Three pads_end_ = {0, 0, 0};  // behind
  bool pads_are_same_ = false;  // as many outputs as inputs by strides; the odd one behind
  bool odd_in_front_ = false;
};

}  // namespace intmill

#endif  // INTMILL_QUANT_PATCHES_H
