// Compares a compiled quantized model with its unfused graph, layer by layer.
#ifndef INTMILL_TESTS_MODELS_LAYERWISE_H
#define INTMILL_TESTS_MODELS_LAYERWISE_H

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill::test {

struct LayerDifferences {
  int64_t layers = 0;  // values that both runs quantize
  int64_t elements = 0;
  int64_t differing = 0;  // elements
  int64_t max_steps = 0;
  std::string worst;  // the value with max_steps
};

// Runs the compiled model, and each node by its reference on what the compiled run put into it: so
// each layer is judged alone, not the rounding of those before it. Quantized values are compared in
// steps of their scale.
Result<LayerDifferences> CompareLayers(const std::shared_ptr<const Graph>& graph,
                                       const std::vector<Tensor>& inputs);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_MODELS_LAYERWISE_H
