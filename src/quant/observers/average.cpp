// Average: the mean of the samples' extremes, which one odd sample hardly moves.
#include "quant/observers/observer.h"

namespace intmill::observers {

Range AverageRange(const ValueStatistics& statistics) { return statistics.average(); }

}  // namespace intmill::observers
