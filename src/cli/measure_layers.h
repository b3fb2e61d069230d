// Measuring what each layer of a float model loses in 8 bits, for the commands that show it.
#ifndef INTMILL_CLI_MEASURE_LAYERS_H
#define INTMILL_CLI_MEASURE_LAYERS_H

#include <string>

#include "cli/command.h"
#include "cli/scheme_options.h"

namespace intmill::cli {

struct LayerOptions {
  DataOptions data;
  SchemeOptions scheme;
  std::string model;
  std::string labels;
  std::string statistics;
};

void AddLayerOptions(Command& command, LayerOptions& options, Need need_of_data);

struct MeasuredLayers {
  Probe calibration;  // empty: ranges are taken while running
  Report layers;      // INTMILL_REPORT_SENSITIVITY
  Report summary;
  double calibrate_seconds = 0;
  double seconds = 0;  // of the sensitivity alone
};
MeasuredLayers MeasureLayers(const Model& model, const LayerOptions& options, Work& work);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_MEASURE_LAYERS_H
