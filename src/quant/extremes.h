// The ends of many floats, in loops that become vectors.
#ifndef INTMILL_QUANT_EXTREMES_H
#define INTMILL_QUANT_EXTREMES_H

#include <cmath>
#include <cstdint>
#include <span>

namespace intmill {

bool AreFinite(std::span<const float> values);

// Of the finite values; the ends are those of an empty range when there are none.
struct Extremes {
  float low = INFINITY;
  float high = -INFINITY;
  int64_t nonfinite = 0;
};
Extremes FindExtremes(std::span<const float> values);

}  // namespace intmill

#endif  // INTMILL_QUANT_EXTREMES_H
