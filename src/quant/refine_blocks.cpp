// RefineBlocks: line by line, with the gradient H e at hand.
#include "quant/refine_blocks.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "tensor/half.h"

namespace intmill {
namespace {

constexpr int kRounds = 4;  // of integers, then scales
constexpr int kSweeps = 8;  // through the integers of a line, at most

// H + damping, row by row.
std::vector<float> Damped(const InputProducts& products, double damping) {
  const int64_t n = products.channels();
  double mean = 0;
  for (int64_t i = 0; i < n; ++i) mean += products.Get(i, i) / static_cast<double>(n);
  std::vector<float> h(static_cast<size_t>(n * n));
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < n; ++j)
      h[static_cast<size_t>(i * n + j)] =
          static_cast<float>(products.Get(i, j) + (i == j ? damping * mean : 0));
  return h;
}

class Line {
 public:
  Line(const float* weights, const BlockForm& form, const std::vector<float>& h,
       BlockParams* params, int32_t* integers)
      : form_(form), h_(h), params_(params), integers_(integers) {
    const auto n = static_cast<size_t>(form.depth);
    errors_.resize(n);
    gradient_.resize(n);
    for (int64_t k = 0; k < form.depth; ++k) {
      const BlockParams& p = Of(k);
      const double made = double{p.scale} * (integers[k] - p.zero_point);
      errors_[static_cast<size_t>(k)] = double{weights[k]} - made;
    }
    for (int64_t k = 0; k < form.depth; ++k) Move(k, -errors_[static_cast<size_t>(k)], false);
  }

  void Run() {
    for (int round = 0; round < kRounds; ++round) {
      for (int sweep = 0; sweep < kSweeps && Sweep(); ++sweep) {
      }
      if (!FitScales()) return;
    }
  }

 private:
  const BlockParams& Of(int64_t k) const { return params_[k / form_.block]; }
  const float* Row(int64_t k) const { return h_.data() + k * form_.depth; }

  // Weight k becomes larger by `step`, so its error smaller.
  void Move(int64_t k, double step, bool counts = true) {
    if (counts) errors_[static_cast<size_t>(k)] -= step;
    const float* const row = Row(k);
    for (size_t i = 0; i < gradient_.size(); ++i) gradient_[i] -= step * double{row[i]};
  }

  bool Sweep() {
    bool changed = false;
    for (int64_t k = 0; k < form_.depth; ++k) {
      const double scale = double{Of(k).scale};
      const double curvature = double{Row(k)[k]} * scale;
      if (!(curvature > 0)) continue;
      const double steps = std::rint(gradient_[static_cast<size_t>(k)] / curvature);
      const auto wanted = static_cast<int32_t>(std::clamp(
          integers_[k] + steps, static_cast<double>(form_.low), static_cast<double>(form_.high)));
      if (wanted == integers_[k]) continue;
      Move(k, scale * (wanted - integers_[k]));
      integers_[k] = wanted;
      changed = true;
    }
    return changed;
  }

  bool FitScales() {
    bool changed = false;
    for (int64_t begin = 0; begin < form_.depth; begin += form_.block)
      changed |= FitScale(begin, std::min(begin + form_.block, form_.depth));
    return changed;
  }

  // e^T H e as a function of the scale is a parabola.
  bool FitScale(int64_t begin, int64_t end) {
    BlockParams& p = params_[begin / form_.block];
    const auto unit = [&](int64_t k) { return static_cast<double>(integers_[k] - p.zero_point); };
    double slope = 0;
    double curvature = 0;
    for (int64_t i = begin; i < end; ++i) {
      slope += unit(i) * gradient_[static_cast<size_t>(i)];
      for (int64_t j = begin; j < end; ++j) curvature += unit(i) * double{Row(i)[j]} * unit(j);
    }
    if (!(curvature > 0)) return false;
    auto scale = static_cast<float>(double{p.scale} + slope / curvature);
    if (form_.half) scale = F16ToFloat(FloatToF16(scale));
    const double change = double{scale} - double{p.scale};
    const bool lowers = change * (change * curvature - 2 * slope) < 0;
    if (!lowers || !(scale > p.scale / 2) || !(scale < p.scale * 2)) return false;
    for (int64_t i = begin; i < end; ++i)
      if (integers_[i] != p.zero_point) Move(i, change * unit(i));
    p.scale = scale;
    return true;
  }

  const BlockForm& form_;
  const std::vector<float>& h_;
  BlockParams* const params_;
  int32_t* const integers_;
  std::vector<double> errors_;
  std::vector<double> gradient_;  // H e
};

}  // namespace

void RefineBlocks(std::span<const float> weights, const BlockForm& form,
                  const InputProducts& products, std::span<BlockParams> params,
                  std::span<int32_t> integers) {
  const std::vector<float> h = Damped(products, form.damping);
  const int64_t blocks = (form.depth + form.block - 1) / form.block;
  ParallelFor(form.lines, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      Line(weights.data() + n * form.depth, form, h, params.data() + n * blocks,
           integers.data() + n * form.depth)
          .Run();
  });
}

}  // namespace intmill
