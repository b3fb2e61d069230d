// Whether sums of products can leave 16 bits on a processor that adds two of them there first.
//
// Without VNNI instructions u8 x s8 products are added in pairs of neighbours along the reduction,
// and the sum of a pair saturates at 16 bits (vpmaddubsw). Of a pair of weights a, b the largest
// sum is 255 * (max(a, 0) + max(b, 0)) and the smallest 255 * (min(a, 0) + min(b, 0)): within 16
// bits whenever neither part exceeds 128 in size. What is proven holds for every input.
#ifndef INTMILL_QUANT_SATURATION_H
#define INTMILL_QUANT_SATURATION_H

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/graph.h"
#include "tensor/tensor.h"

namespace intmill {

// Weights of at most this size cannot saturate, whatever stands beside them: 255 * 2 * 64 < 2^15.
inline constexpr int32_t kNarrowWeight = 64;

// How the weights of a product are summed up.
struct Reduction {
  int64_t channel_axis = 0;  // of output channels
  int64_t pair_axis = 1;     // along which neighbours are pairs, as oneDNN lays weights out
  int64_t groups = 1;        // of the pair axis; pairs do not cross them
};
// Nothing for an operator whose weights are not summed up this way.
std::optional<Reduction> ReductionOf(const Node& node, int64_t weight_rank);

// The output channels in which a pair could saturate, ascending. `weight` is s8.
std::vector<int64_t> SaturatingChannels(const Tensor& weight, const Reduction& reduction);

// Two weights that are added first.
struct WeightPair {
  int64_t channel = -1;  // of the output; -1: none
  int64_t first = 0;     // along the reduction
  int32_t a = 0;
  int32_t b = 0;
};
// The pair that leaves 16 bits by most; none when no pair does.
WeightPair WorstPair(const Tensor& weight, const Reduction& reduction);

struct SaturationProof {
  int64_t channels = 0;
  std::vector<int64_t> saturating;  // empty: proven for all of them
  WeightPair worst;
};
// Of a product of a Q/DQ graph with constant s8 weights and u8 activations; nothing for others, for
// which the proof says nothing.
std::optional<SaturationProof> ProveSaturation(const Graph& graph, const Uses& uses,
                                               const Node& node);

// Metadata of a quantized graph: "any" where no product can saturate, else "vnni"; and the number
// of output channels that could.
inline constexpr const char* kExactKey = "intmill.exact";
inline constexpr const char* kSaturatingKey = "intmill.saturating_channels";
void RecordExactness(Graph& graph);

}  // namespace intmill

#endif  // INTMILL_QUANT_SATURATION_H
