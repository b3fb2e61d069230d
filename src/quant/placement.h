// Placement: which layers compute in integers, and with which scale and zero point each value.
#ifndef INTMILL_QUANT_PLACEMENT_H
#define INTMILL_QUANT_PLACEMENT_H

#include <optional>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"
#include "quant/layers.h"
#include "tensor/qparams.h"

namespace intmill {

// Scale and zero point of every value that static layers read or write, and of the constants they
// read like activations; one entry per value of the graph. Values that an operator moves without
// computing share theirs. kInvalidArgument names a value that `find` does not know.
using ValueParams = std::vector<std::optional<QParams>>;
Result<ValueParams> PlaceValues(const Graph& graph, const std::vector<LayerDecision>& layers,
                                const FindStatistics& find);

}  // namespace intmill

#endif  // INTMILL_QUANT_PLACEMENT_H
