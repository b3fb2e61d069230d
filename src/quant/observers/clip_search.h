// The search that entropy and MSE share: which bins to keep on each side of zero.
#ifndef INTMILL_QUANT_OBSERVERS_CLIP_SEARCH_H
#define INTMILL_QUANT_OBSERVERS_CLIP_SEARCH_H

#include <cstdint>
#include <functional>

#include "quant/statistics.h"
#include "tensor/qparams.h"

namespace intmill::observers {

// Bins kept below and above zero; the range is -low * width to high * width.
struct Clip {
  int64_t low = 0;
  int64_t high = 0;
};

// Minimizes `loss` over clips that keep some bins of each side that has values. Starts from all of
// them, clips both sides alike, then one side at a time. The first of equals wins, widest first.
// Symmetric quantization covers both sides alike, so there only the common clip is searched.
Range SearchClip(const ValueStatistics& statistics, bool symmetric,
                 const std::function<double(const Clip&)>& loss);

}  // namespace intmill::observers

#endif  // INTMILL_QUANT_OBSERVERS_CLIP_SEARCH_H
