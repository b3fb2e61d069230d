// Min-max: everything that was seen is representable.
#include "quant/observers/observer.h"

namespace intmill::observers {

Range MinMaxRange(const ValueStatistics& statistics) {
  return {statistics.min(), statistics.max()};
}

}  // namespace intmill::observers
