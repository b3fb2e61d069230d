// The ways to choose the range of an activation from its statistics, one file each.
#ifndef INTMILL_QUANT_OBSERVERS_OBSERVER_H
#define INTMILL_QUANT_OBSERVERS_OBSERVER_H

#include "quant/scheme.h"
#include "quant/statistics.h"
#include "tensor/qparams.h"

namespace intmill {

// The range that `scheme.calibration` chooses: within what was seen, and 0 to 0 when nothing was.
// Activations of 16 bits have all that was seen, whatever the method.
// The bits depend on the statistics alone.
Range FindRange(const ValueStatistics& statistics, const LayerScheme& scheme);

namespace observers {

Range MinMaxRange(const ValueStatistics& statistics);
Range AverageRange(const ValueStatistics& statistics);
Range PercentileRange(const ValueStatistics& statistics, double percentile);
Range EntropyRange(const ValueStatistics& statistics, bool symmetric);
Range MseRange(const ValueStatistics& statistics, bool symmetric);

}  // namespace observers
}  // namespace intmill

#endif  // INTMILL_QUANT_OBSERVERS_OBSERVER_H
