// RefineBlocks: line by line, with the gradient H e at hand.
#include "quant/refine_blocks.h"

#include <algorithm>
#include <cmath>

#include "base/parallel.h"
#include "tensor/half.h"

namespace intmill {
namespace {

constexpr int kRounds = 3;              // of integers, scales, and blocks as a whole
constexpr int kSweeps = 8;              // through the integers of a line, at most
constexpr int kTrialSweeps = 3;         // through those of one block
constexpr int64_t kLargestTrial = 256;  // longer blocks keep their zero points
constexpr double kFactors[] = {0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15};  // of a scale, tried

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
      const bool fitted = FitScales();
      const bool replaced = form_.block <= kLargestTrial && ReplaceBlocks();
      if (!fitted && !replaced) return;
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

  // A block with another scale and zero point, and integers that are the best for them one by one.
  struct Trial {
    BlockParams params;
    std::vector<int32_t> integers;
    double change = 0;  // of e^T H e
  };

  bool ReplaceBlocks() {
    bool changed = false;
    for (int64_t begin = 0; begin < form_.depth; begin += form_.block) {
      const int64_t count = std::min(form_.block, form_.depth - begin);
      const BlockParams old = Of(begin);
      Trial best;
      for (const double factor : kFactors) {
        for (int32_t shift = -1; shift <= 1; ++shift) {
          const int32_t zero_point = old.zero_point + shift;
          if (shift != 0 && form_.symmetric) continue;
          if (zero_point < form_.low || zero_point > form_.high) continue;
          auto scale = static_cast<float>(double{old.scale} * factor);
          if (form_.half) scale = F16ToFloat(FloatToF16(scale));
          if (scale > 0) Try({scale, zero_point}, begin, count, &best);
        }
      }
      if (!(best.change < 0)) continue;
      changed = true;
      for (int64_t i = 0; i < count; ++i) {
        const double step = Made(best.params, best.integers[static_cast<size_t>(i)]) -
                            Made(old, integers_[begin + i]);
        if (step != 0) Move(begin + i, step);
        integers_[begin + i] = best.integers[static_cast<size_t>(i)];
      }
      params_[begin / form_.block] = best.params;
    }
    return changed;
  }

  static double Made(const BlockParams& p, int32_t q) {
    return double{p.scale} * static_cast<double>(q - p.zero_point);
  }

  int32_t Clamped(double q) const {
    return static_cast<int32_t>(
        std::clamp(q, static_cast<double>(form_.low), static_cast<double>(form_.high)));
  }

  // Only the block's own part of H counts: with d the change of its weights and g its gradient,
  // the error changes by -2 d^T g + d^T H d = -d^T g - d^T (g - H d).
  void Try(const BlockParams& p, int64_t begin, int64_t count, Trial* best) {
    const auto n = static_cast<size_t>(count);
    Trial trial{p, std::vector<int32_t>(n), 0};
    left_.assign(gradient_.begin() + begin, gradient_.begin() + begin + count);
    steps_.assign(n, 0);
    const auto move = [&](size_t i, double step) {
      steps_[i] += step;
      const float* const row = Row(begin + static_cast<int64_t>(i)) + begin;
      for (size_t j = 0; j < n; ++j) left_[j] -= step * double{row[j]};
    };
    for (size_t i = 0; i < n; ++i) {
      const double made = Made(Of(begin), integers_[begin + static_cast<int64_t>(i)]);
      trial.integers[i] = Clamped(std::rint(made / double{p.scale}) + p.zero_point);
      move(i, Made(p, trial.integers[i]) - made);
    }
    bool changed = true;
    for (int sweep = 0; sweep < kTrialSweeps && changed; ++sweep) {
      changed = false;
      for (size_t i = 0; i < n; ++i) {
        const int64_t k = begin + static_cast<int64_t>(i);
        const double curvature = double{Row(k)[k]} * double{p.scale};
        if (!(curvature > 0)) continue;
        const int32_t wanted = Clamped(trial.integers[i] + std::rint(left_[i] / curvature));
        if (wanted == trial.integers[i]) continue;
        move(i, Made(p, wanted) - Made(p, trial.integers[i]));
        trial.integers[i] = wanted;
        changed = true;
      }
    }
    for (size_t i = 0; i < n; ++i)
      trial.change -= steps_[i] * (gradient_[static_cast<size_t>(begin) + i] + left_[i]);
    if (trial.change < best->change) *best = std::move(trial);
  }

  const BlockForm& form_;
  const std::vector<float>& h_;
  BlockParams* const params_;
  int32_t* const integers_;
  std::vector<double> errors_;
  std::vector<double> gradient_;  // H e
  std::vector<double> left_;      // of Try: the gradient of a block
  std::vector<double> steps_;     // and the changes of its weights
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
