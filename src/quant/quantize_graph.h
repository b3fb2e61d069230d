// Quantizing a model: the float graph goes in, the Q/DQ graph comes out.
#ifndef INTMILL_QUANT_QUANTIZE_GRAPH_H
#define INTMILL_QUANT_QUANTIZE_GRAPH_H

#include "base/hooks.h"
#include "base/status.h"
#include "base/table.h"
#include "ir/graph.h"
#include "quant/calibrate.h"
#include "quant/input_products.h"
#include "quant/placement.h"
#include "quant/scheme.h"

namespace intmill {

// `calibrator` may be null when no layer is static; otherwise it must have seen data of this graph.
// kState: the graph is quantized already, or the calibrator saw nothing. kInvalidArgument: a rule
// of `schemes` names a layer that does not exist, or static layers lack a calibrator.
Result<Graph> QuantizeGraph(const Graph& graph, const Calibrator* calibrator,
                            const SchemeTable& schemes, const Hooks& hooks);
// The same from statistics, with the number of samples behind them. Where `moments` knows a layer
// its weights are rounded by them; `products` are for GPTQ.
Result<Graph> QuantizeGraph(const Graph& graph, const FindStatistics& find, int64_t samples,
                            const SchemeTable& schemes, const Hooks& hooks,
                            const FindMoments& moments = {}, const FindProducts& products = {});

// One row a layer of a float or quantized graph, in running order, without QuantizeLinear and its
// like: layer, op, scheme ("static", "dynamic", "weight_only", "fp16", "bf16",
// "bf16_compute", "float", or ""
// without arithmetic worth quantizing), reason (why it stayed in float, "" when not known).
Table QuantizationSummary(const Graph& graph);

// True when the graph holds QuantizeLinear, DequantizeLinear or DynamicQuantizeLinear.
bool IsQuantized(const Graph& graph);

}  // namespace intmill

#endif  // INTMILL_QUANT_QUANTIZE_GRAPH_H
