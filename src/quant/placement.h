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

// Scales and zero points, one entry per value of the graph.
struct ValueParams {
  // 8 bits: of every value that static layers read or write, and of the constants they read like
  // activations. Values that an operator moves without computing share theirs.
  std::vector<std::optional<QParams>> bytes;
  // 16 bits: of the inputs of layers that read those.
  std::vector<std::optional<QParams>> words;

  // Of the value as the layer reads it.
  const std::optional<QParams>& ReadBy(const LayerDecision& layer, ValueId id) const {
    return (layer.reads_int16() ? words : bytes)[static_cast<size_t>(id)];
  }
};
// kInvalidArgument names a value that `find` does not know.
Result<ValueParams> PlaceValues(const Graph& graph, const std::vector<LayerDecision>& layers,
                                const FindStatistics& find);

}  // namespace intmill

#endif  // INTMILL_QUANT_PLACEMENT_H
