// Writing smaller weights into a graph: integers behind a DequantizeLinear, or 16-bit floats behind
// a Cast. What is computed in BF16 also has its activations go through it.
#ifndef INTMILL_QUANT_INSERT_WEIGHT_ONLY_H
#define INTMILL_QUANT_INSERT_WEIGHT_ONLY_H

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"
#include "quant/input_products.h"
#include "quant/layers.h"

namespace intmill {

// The schemes of the layers that were decided to be LayerKind::kWeightOnly, by name.
using WeightOnlyLayers = std::map<std::string, LayerScheme, std::less<>>;
WeightOnlyLayers FindWeightOnly(const Graph& graph, const std::vector<LayerDecision>& layers);

// The axis of a layer's constant matrix that indexes its lines (QuantizeBlocks), and which input
// the matrix is; nothing where weight-only quantization does not know the operator.
struct WeightMatrix {
  size_t input = 1;
  int64_t line_axis = 0;
};
std::optional<WeightMatrix> WeightMatrixOf(const Graph& graph, const Node& node);

// Which input of a layer is its constant f32 weight: of a product, or the table of a Gather;
// nothing where it has none.
std::optional<size_t> WeightInputOf(const Graph& graph, const Node& node);
bool IsHalf(Scheme scheme);  // weights in 16-bit floats

// The input whose products GPTQ rounds a layer's weights by; kNoValue: it has none.
ValueId GptqInput(const Graph& graph, const Node& node);

// `products` may be empty where no layer wants GPTQ. kInvalidArgument: a layer that does has none.
Status InsertWeightOnly(Graph& graph, const WeightOnlyLayers& layers, const FindProducts& products,
                        const Hooks& hooks);

}  // namespace intmill

#endif  // INTMILL_QUANT_INSERT_WEIGHT_ONLY_H
