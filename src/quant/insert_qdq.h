// Writing QuantizeLinear and DequantizeLinear into a float graph, so that it says what is computed
// in integers with operators that every ONNX reader knows.
#ifndef INTMILL_QUANT_INSERT_QDQ_H
#define INTMILL_QUANT_INSERT_QDQ_H

#include <vector>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"
#include "quant/layers.h"
#include "quant/placement.h"

namespace intmill {

// For a value x: x -> x_quantize -> x_quantized -> x_dequantize -> x_dequantized, with constants
// x_scale and x_zero_point; the same names after those of weights and biases. Graph outputs keep
// their names: there x is the dequantized value. Names depend on the graph alone.
// Products with 16-bit inputs read x through a pair of their own: x -> x_s16_quantize and so on.
// Biases take back the shift that rounded weights cause, where `find` knows the means of channels;
// weights are rounded by `moments` where it knows their layer.
Status InsertQdq(Graph& graph, const std::vector<LayerDecision>& layers, const ValueParams& params,
                 const FindStatistics& find, const Hooks& hooks, const FindMoments& moments = {});

}  // namespace intmill

#endif  // INTMILL_QUANT_INSERT_QDQ_H
