// FindFloatRegions: which layers of a quantized model to put back into floats, given how long each
// takes in either form. No clock is read here.
#ifndef INTMILL_CLI_FLOAT_REGIONS_H
#define INTMILL_CLI_FLOAT_REGIONS_H

#include <cstddef>
#include <vector>

#include "cli/layer_times.h"

namespace intmill::cli {

// Layers that are fused when they run, and so change together; layer i of `layers` is in one group.
struct LayerGroup {
  std::vector<size_t> layers;
  std::vector<size_t> sources;  // groups that make what it reads
  double float_us = 0;
  double int8_us = 0;
  bool is_int8 = false;  // some of it computes in integers now
  double border_us = 0;  // what turning its result into floats, or back, would cost
};

// A layer without a step of its own in either form has gone into the latest layer that it reads.
std::vector<LayerGroup> GroupLayers(const std::vector<LayerInfo>& layers,
                                    const LayerTimes& float_times, const LayerTimes& int8_times,
                                    double conversion_us_per_element);

// What turning one element into an integer or a float cost in these steps; 0 when none did.
double ConversionUsPerElement(const std::vector<LayerInfo>& layers,
                              const std::vector<StepTime>& steps);

// Connected groups that are faster in floats.
struct FloatRegion {
  std::vector<size_t> groups;  // rising
  double gain_us = 0;          // new conversions at its borders paid, the margin not
};

// A region is found where it gains more than `margin` (a share) of its time in floats, and more
// than `least_gain_us`. The region that gains most comes first.
std::vector<FloatRegion> FindFloatRegions(const std::vector<LayerGroup>& groups, double margin,
                                          double least_gain_us);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_FLOAT_REGIONS_H
