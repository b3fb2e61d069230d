// Operators with constant weights (and matrix products): from operands with scales and fused
// post-ops to the one arithmetic of the kernels.
#ifndef INTMILL_OPS_COMMON_WEIGHTED_H
#define INTMILL_OPS_COMMON_WEIGHTED_H

#include <vector>

#include "ir/op.h"
#include "kernels/epilogue.h"
#include "kernels/kernel.h"

namespace intmill::ops {

// The largest number of u8 x s8 products whose sum fits in 32 bits: 255 * 127 * n < 2^31.
inline constexpr int64_t kMaxDepth = 66311;
Status CheckDepth(int64_t depth);

// A sum in real numbers: sum * scale[c] + bias[c].
struct RealSum {
  std::vector<double> scales;  // of integer sums: one, or one per channel; empty: floats
  std::vector<double> bias;    // one per channel; empty: none
  int64_t channels = 1;
};

// Output 0 as it is before the table that is the node's last post-op, where it has one.
Operand RoundedOutput(const LowerArgs& args);

// The epilogue of `sum` followed by the node's post-ops, for the node's output 0. Refuses by name
// what the arithmetic cannot hold.
Result<Epilogue> MakeEpilogue(const LowerArgs& args, const RealSum& sum);

// Constant weights, ready for a kernel.
struct Weights {
  Tensor tensor;                     // s8 (or u8 when zero points remain), f32 or bf16
  std::vector<int32_t> zero_points;  // empty: none
  std::vector<double> scales;        // one, or one per channel; empty: floats
};
// `axis`: the one that indexes channels. Zero points are subtracted where the results fit in s8.
Result<Weights> ReadWeights(const Operand& weights, int64_t axis);

// Both f32, both bf16 (the output then f32 or bf16), or both 8-bit with scales; the input's scale
// is one.
Status CheckWeightedTypes(const LowerArgs& args);
// scale of the input x scales of the weights; `channels` many when the weights have several.
Result<RealSum> MakeRealSum(const LowerArgs& args, const Weights& weights, int64_t channels);

// Values of a constant bias in real numbers; `what` for the message when it is not constant.
Result<std::vector<double>> ReadBias(const Operand& bias);

// For OpDef::multiply_adds: each of `elements` takes part in as many products as `window` has.
double CountProducts(const Shape& elements, const Shape& window);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_WEIGHTED_H
