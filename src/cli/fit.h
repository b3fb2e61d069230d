// Fits the shape of a sample to the shape that a model wants.
#ifndef INTMILL_CLI_FIT_H
#define INTMILL_CLI_FIT_H

#include <optional>

#include "cli/array.h"
#include "cli/dataset.h"

namespace intmill::cli {

struct Fit {
  Dims dims;                         // what the model gets: wanted, with its -1 filled in
  Layout layout = Layout::kUnknown;  // of the sample, when it has three dimensions
  bool is_transposed = false;        // height x width x channels becomes channels first, or back
};

// Nothing when it does not fit. Dimensions of size 1 may come and go, and a model that wants one
// dimension takes all elements in a row.
std::optional<Fit> FitShape(const Dims& found, Layout layout, const Dims& wanted);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_FIT_H
