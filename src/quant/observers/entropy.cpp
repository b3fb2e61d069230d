// Entropy: the range whose quantized histogram tells least away from the real one
// (Kullback-Leibler divergence, as in calibration for 8-bit inference since TensorRT).
#include <algorithm>
#include <cmath>
#include <vector>

#include "quant/observers/clip_search.h"
#include "quant/observers/observer.h"

namespace intmill::observers {
namespace {

constexpr int64_t kLevels = 256;

// The bins kept by a clip, lowest value first; P has what was clipped in its outermost bins.
struct Kept {
  std::vector<double> p;
  std::vector<double> q;  // without what was clipped
};

void Append(std::span<const uint64_t> bins, int64_t kept, bool mirrored, Kept* out) {
  if (bins.empty() || kept == 0) return;
  const size_t begin = out->p.size();
  double clipped = 0;
  for (size_t i = static_cast<size_t>(kept); i < bins.size(); ++i)
    clipped += static_cast<double>(bins[i]);
  for (int64_t i = 0; i < kept; ++i) {
    const size_t bin = static_cast<size_t>(mirrored ? kept - 1 - i : i);
    out->p.push_back(static_cast<double>(bins[bin]));
  }
  out->q.insert(out->q.end(), out->p.begin() + static_cast<std::ptrdiff_t>(begin), out->p.end());
  (mirrored ? out->p[begin] : out->p.back()) += clipped;
}

// Replaces each level's bins by their mean over the bins that are not empty.
void QuantizeHistogram(std::vector<double>& q, int64_t levels) {
  const int64_t n = static_cast<int64_t>(q.size());
  for (int64_t level = 0; level < levels; ++level) {
    const int64_t begin = level * n / levels;
    const int64_t end = (level + 1) * n / levels;
    double sum = 0;
    int64_t used = 0;
    for (int64_t i = begin; i < end; ++i) {
      sum += q[static_cast<size_t>(i)];
      used += q[static_cast<size_t>(i)] > 0 ? 1 : 0;
    }
    for (int64_t i = begin; i < end; ++i) {
      double& bin = q[static_cast<size_t>(i)];
      if (bin > 0) bin = sum / static_cast<double>(used);
    }
  }
}

// sum P ln(P / Q) of the normalized histograms. A bin that only clipped values fill has no Q; it
// takes a small share instead of making the divergence infinite.
double Divergence(const Kept& kept) {
  constexpr double kSmallest = 1e-9;
  double p_sum = 0;
  double q_sum = 0;
  for (size_t i = 0; i < kept.p.size(); ++i) {
    p_sum += kept.p[i];
    q_sum += kept.q[i];
  }
  if (q_sum == 0) return INFINITY;
  double divergence = 0;
  for (size_t i = 0; i < kept.p.size(); ++i) {
    if (kept.p[i] == 0) continue;
    const double p = kept.p[i] / p_sum;
    const double q = std::max(kept.q[i] / q_sum, kSmallest);
    divergence += p * std::log(p / q);
  }
  return divergence;
}

}  // namespace

// Zeros are in no bin: they are exact in every grid, and after a ReLU they would drown the rest.
Range EntropyRange(const ValueStatistics& statistics, bool symmetric) {
  Kept kept;
  const auto loss = [&](const Clip& clip) {
    kept.p.clear();
    kept.q.clear();
    Append(statistics.negative(), clip.low, true, &kept);
    Append(statistics.positive(), clip.high, false, &kept);
    // A symmetric grid spends levels on values that one side may not have.
    const int64_t covered = symmetric ? 2 * std::max(clip.low, clip.high) : clip.low + clip.high;
    const int64_t used = static_cast<int64_t>(kept.p.size());
    const int64_t levels = std::max<int64_t>(1, kLevels * used / std::max<int64_t>(covered, 1));
    QuantizeHistogram(kept.q, std::min(levels, used));
    return Divergence(kept);
  };
  return SearchClip(statistics, symmetric, loss);
}

}  // namespace intmill::observers
