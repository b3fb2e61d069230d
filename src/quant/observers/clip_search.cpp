// Coordinate descent over the two clips, in steps of a few bins.
#include "quant/observers/clip_search.h"

#include <algorithm>

namespace intmill::observers {
namespace {

constexpr int64_t kStep = 8;         // bins: 256 candidates a side
constexpr int64_t kNarrowest = 128;  // bins, so that no candidate is finer than the histogram shows
constexpr int kRounds = 3;

int64_t LastUsed(std::span<const uint64_t> bins) {
  for (size_t i = bins.size(); i > 0; --i)
    if (bins[i - 1] > 0) return static_cast<int64_t>(i);
  return 0;
}

}  // namespace

Range SearchClip(const ValueStatistics& statistics, bool symmetric,
                 const std::function<double(const Clip&)>& loss) {
  const Clip widest{LastUsed(statistics.negative()), LastUsed(statistics.positive())};
  Clip best = widest;
  double least = loss(best);
  const auto consider = [&](const Clip& clip) {
    const double value = loss(clip);
    if (value < least) {
      least = value;
      best = clip;
    }
  };

  for (int64_t t = std::max(widest.low, widest.high) - kStep; t >= kNarrowest; t -= kStep)
    consider({std::min(widest.low, t), std::min(widest.high, t)});
  for (int round = 0; round < kRounds && !symmetric; ++round) {
    const Clip before = best;
    for (int64_t t = widest.high; t >= kNarrowest; t -= kStep) consider({best.low, t});
    for (int64_t t = widest.low; t >= kNarrowest; t -= kStep) consider({t, best.high});
    if (before.low == best.low && before.high == best.high) break;
  }
  const double width = statistics.bin_width();
  return {static_cast<float>(-static_cast<double>(best.low) * width),
          static_cast<float>(static_cast<double>(best.high) * width)};
}

}  // namespace intmill::observers
