// What 'intmill quantize' does to a float model, and learns about it, so that 8 bits cost it less.
#ifndef INTMILL_CLI_IMPROVE_H
#define INTMILL_CLI_IMPROVE_H

#include <string>

#include "cli/command.h"
#include "cli/feeder.h"

namespace intmill::cli {

struct ImproveOptions {
  std::string equalize;  // "", "all", "unclipped"
  std::string smooth;    // "", "auto", or a number
  std::string rounding;  // "", "nearest", "learned"

  bool Any() const { return !equalize.empty() || !smooth.empty() || learns_rounding(); }
  bool learns_rounding() const { return rounding == "learned"; }
};

void AddImproveOptions(Command& command, ImproveOptions& options);
// UsageError for what does not go together. `feeds`: there is data and it is not only for a check.
void CheckImprovements(const ImproveOptions& options, bool feeds);

// A float model and what was seen of it.
struct Prepared {
  Model improved;     // empty where the model stays as it is
  Probe calibration;  // or the rounding learned; empty where nothing is static

  const Model& Latest(const Model& model) const { return improved ? improved : model; }
};
// Runs all of the data through the model once, and once more for smoothing and for rounding each.
Prepared Prepare(const Model& model, Feeder& feeder, const ImproveOptions& options, Work& work);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_IMPROVE_H
