// The results of layers as they pass by in a running plan, in floats whatever they are computed in.
#ifndef INTMILL_QUANT_LAYER_VALUES_H
#define INTMILL_QUANT_LAYER_VALUES_H

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "ir/graph.h"
#include "tensor/qparams.h"

namespace intmill {

// Of a graph, which values are results of layers that are worth quantizing: behind the layer's
// activation where it has one of its own, in floats or as the integers or BF16 that are read
// instead.
class LayerValues {
 public:
  explicit LayerValues(const Graph& graph);

  // Sees each layer's result at most once a run; values lie row-major in the graph's own order.
  using See = std::function<void(const std::string& layer, std::span<const float> values)>;
  // For one run. `see` must outlive it.
  Tap MakeTap(See see) const;

 private:
  struct Watched {
    std::string layer;
    std::optional<QParams> params;  // of integers
  };
  void Watch(const Graph& graph, const Uses& uses, const Node& layer);

  std::map<std::string, Watched, std::less<>> watched_;  // by the value's name
};

}  // namespace intmill

#endif  // INTMILL_QUANT_LAYER_VALUES_H
