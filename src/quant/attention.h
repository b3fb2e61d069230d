// Which products of a float graph are those of attention.
#ifndef INTMILL_QUANT_ATTENTION_H
#define INTMILL_QUANT_ATTENTION_H

#include <vector>

#include "ir/graph.h"

namespace intmill {

// Node indices: softmax(scaled and masked MatMul(q, k)) v.
struct Attention {
  int32_t scores = Uses::kNone;   // MatMul(q, k)
  int32_t softmax = Uses::kNone;  // along the last axis
  int32_t values = Uses::kNone;   // MatMul(softmax, v)
};

// In the order of their softmaxes. Only where nothing else reads what is between the products, and
// all four operands are computed at run time.
std::vector<Attention> FindAttention(const Graph& graph, const Uses& uses);

}  // namespace intmill

#endif  // INTMILL_QUANT_ATTENTION_H
