// Which layers of a float graph compute in integers once it is quantized, and why others do not.
#ifndef INTMILL_QUANT_LAYERS_H
#define INTMILL_QUANT_LAYERS_H

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "quant/moments.h"
#include "quant/scheme.h"
#include "quant/statistics.h"

namespace intmill {

// Statistics of a value by name, null when there are none.
using FindStatistics = std::function<const ValueStatistics*(std::string_view)>;

// What is known of the inputs of a layer by name, null when nothing is.
using FindMoments = std::function<const InputMoments*(std::string_view)>;

enum class LayerKind {
  kNone,           // no arithmetic worth quantizing
  kFloat,          // could be quantized, but stays in float
  kStatic,         // integers, ranges from calibration
  kDynamicRanges,  // integers, ranges from each input
  kWeightOnly,     // weights in integers or 16-bit floats, f32 activations; or all in BF16
};

struct LayerDecision {
  LayerKind kind = LayerKind::kNone;
  std::string reason;  // of kFloat
  LayerScheme scheme;
  // Node index of the activation that the compiler fuses into this layer, so that nothing may stand
  // between the two; kNoNode: none.
  static constexpr int32_t kNoNode = -1;
  int32_t fused_activation = kNoNode;
  bool is_fused_activation = false;
  // The result is never turned into integers by itself: it goes through a fused activation or into
  // a fused residual add first, or only float layers read it.
  bool writes_real = false;
  // An Add of a constant that the compiler makes the bias of the product before it.
  bool is_bias = false;
  // A product of attention: its second input has no zero point, and of the product with values the
  // first stays real.
  bool is_attention = false;

  // A product whose input is rounded to 16 bits, for itself alone: readers of 8 bits have integers
  // of their own, and nothing but products computes with 16.
  bool reads_int16() const {
    return kind == LayerKind::kStatic && !is_fused_activation &&
           scheme.activation_dtype == DType::kS16;
  }
};

// One decision a node.
//
// Products (Conv, Gemm, MatMul) are what integers make faster, so they are quantized wherever they
// can be. Everything else is quantized only between quantized layers: with float on one side it
// would gain nothing, and lose the precision that the author of a normalization or of a residual
// stream counts on.
// Of products of two activations those of attention are quantized, both or neither: what is between
// them stays in float.
// A static layer one of whose values has statistics without a single number stays in float: what is
// computed from shapes alone is folded before any tap sees it. `find` may be empty.
std::vector<LayerDecision> DecideLayers(const Graph& graph, const SchemeTable& schemes,
                                        const FindStatistics& find = {});

// The inputs of a node that it reads as activations when quantized, constants among them, as
// indices into Node::inputs: all its float inputs but weights and bias.
std::vector<size_t> ActivationInputs(const Graph& graph, const Node& node);
// Input 1 is a constant with an output-channel axis.
bool HasConstantWeight(const Graph& graph, const Node& node);
// Floats that are computed or fed, not constants.
bool IsActivation(const Graph& graph, ValueId id);

// The float values that some choice of schemes could need statistics of, in the graph's order.
std::vector<ValueId> ObservableValues(const Graph& graph);

}  // namespace intmill

#endif  // INTMILL_QUANT_LAYERS_H
