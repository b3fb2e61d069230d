// How large the file of a model is, or will be.
#ifndef INTMILL_CLI_SAVED_BYTES_H
#define INTMILL_CLI_SAVED_BYTES_H

#include <cstdint>
#include <vector>

#include "cli/command.h"

namespace intmill::cli {

int64_t SavedBytes(const Model& model);

// At most what the certificate and the rest of the metadata will add to a file, seen on one batch:
// other figures may have more digits, and every sample has its class. Takes the feeder's first
// batch; `layers` are those that have figures.
int64_t ProofBytes(const Model& reference, const Model& candidate, Feeder& feeder,
                   const std::vector<int64_t>& labels, int64_t layers, const Options& options);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_SAVED_BYTES_H
