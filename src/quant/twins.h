// Both forms of every quantizable layer, in float and in integers, side by side in one graph.
#ifndef INTMILL_QUANT_TWINS_H
#define INTMILL_QUANT_TWINS_H

#include <optional>
#include <string>
#include <vector>

#include "base/hooks.h"
#include "base/status.h"
#include "ir/graph.h"
#include "quant/bias_shift.h"
#include "quant/layers.h"
#include "tensor/qparams.h"

namespace intmill {

// Which form the model's outputs are computed with; the twin has the other one.
enum class MainForm { kFloat, kIntegers };

struct Twin {
  std::string layer;
  std::string op;
  std::string result;                   // name of what the layer, with its activation, computes
  std::string twin;                     // name of the same in the other form
  std::string input;                    // name of the float activation it reads first
  std::optional<QParams> input_params;  // nothing where ranges are taken from each input
  InputChannels channels;               // of the input; count 0: not known
  bool reads_model_input = false;
  LayerScheme scheme;
  const Tensor* weight = nullptr;  // in float, in `plain`; null: both operands are activations
  int64_t weight_axis = 0;
};

struct TwinGraph {
  Graph plain;  // the float graph, shapes inferred
  // Its outputs are the model's, and then the results and twins named below, so that no rewrite
  // does away with them.
  Graph graph;
  size_t outputs = 0;       // of the model
  std::vector<Twin> twins;  // in running order
};

// The integer form is what QuantizeGraph makes of the whole model with these schemes.
// kState: quantized already, or no layer can be quantized. Otherwise as QuantizeGraph.
Result<TwinGraph> MakeTwins(const Graph& graph, const FindStatistics& find,
                            const SchemeTable& schemes, MainForm main_form, const Hooks& hooks);

}  // namespace intmill

#endif  // INTMILL_QUANT_TWINS_H
