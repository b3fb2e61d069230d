// GPTQ (Frantar, Ashkboos, Hoefler, Alistarh 2022, "GPTQ: Accurate Post-Training Quantization for
// Generative Pre-trained Transformers"): weights are rounded one input channel after the other, and
// those that are not rounded yet take over the error of those that are.
#ifndef INTMILL_QUANT_GPTQ_H
#define INTMILL_QUANT_GPTQ_H

#include <cstdint>
#include <functional>
#include <vector>

#include "base/status.h"
#include "quant/input_products.h"

namespace intmill {

struct GptqOptions {
  double damping = 0.01;  // added to the diagonal, as a share of its mean
  bool ordered = false;   // channels with the largest squares first, not in their own order
};

// A line of weights, and the weights that become of them: the nearest that weight k of line n can
// be to `wanted`, as an integer in *q; returns its real value.
using RoundWeight = std::function<double(int64_t n, int64_t k, double wanted, int32_t* q)>;

// Rounds `lines` x `depth` weights so that (w - w')^T H (w - w') is small, where H are the products
// of the inputs. With H + damping = R R^T, R upper triangular, the error is |R^T e|^2, and channel
// i is rounded from w_i + sum over j < i of R_ji e_j / R_ii: what the paper does through the
// inverse of H comes to the same. Time grows with depth^3 + lines depth^2, memory with depth^2.
// kState: no damping makes H positive definite.
Result<std::vector<int32_t>> RoundByGptq(const float* weights, int64_t lines, int64_t depth,
                                         const InputProducts& products, const GptqOptions& options,
                                         const RoundWeight& round);

}  // namespace intmill

#endif  // INTMILL_QUANT_GPTQ_H
