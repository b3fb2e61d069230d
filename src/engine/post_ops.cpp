// The formulas are those of the ONNX operators of the same names; Swish is x * sigmoid(x).
#include "engine/post_ops.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/quantize.h"

namespace intmill {
namespace {

// Rounded to integers, of which each has its entry.
float LookUp(const PostOp& op, float x) {
  const QParams& q = *op.rounded;
  const int32_t stored =
      QuantizeValue(x, q.scales[0], q.zero_points[0], static_cast<int32_t>(MinOf(q.dtype)),
                    static_cast<int32_t>(MaxOf(q.dtype)));
  return op.table.data<float>()[static_cast<uint8_t>(stored)];
}

double Sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

float Apply(const PostOp& op, float x, float other) {
  const float hard = std::clamp(op.alpha * x + op.beta, 0.0f, 1.0f);
  switch (op.kind) {
    case PostOp::Kind::kRelu:
      return std::max(x, 0.0f);
    case PostOp::Kind::kClip:
      return std::min(std::max(x, op.alpha), op.beta);
    case PostOp::Kind::kLeakyRelu:
      return x < 0 ? op.alpha * x : x;
    case PostOp::Kind::kSigmoid:
      return static_cast<float>(Sigmoid(x));
    case PostOp::Kind::kTanh:
      return static_cast<float>(std::tanh(double{x}));
    case PostOp::Kind::kElu:
      return x < 0 ? static_cast<float>(op.alpha * std::expm1(double{x})) : x;
    case PostOp::Kind::kHardSigmoid:
      return hard;
    case PostOp::Kind::kHardSwish:
      return x * std::clamp(x / 6.0f + 0.5f, 0.0f, 1.0f);
    case PostOp::Kind::kGelu:
      return static_cast<float>(0.5 * x * (1.0 + std::erf(double{x} / std::numbers::sqrt2)));
    case PostOp::Kind::kSwish:
      return static_cast<float>(x * Sigmoid(x));
    case PostOp::Kind::kAdd:
      return x + other;
    case PostOp::Kind::kTable:
      return LookUp(op, x);
  }
  return x;
}

}  // namespace

void ApplyPostOp(const PostOp& op, float* values, int64_t n, const float* other) {
  for (int64_t i = 0; i < n; ++i)
    values[i] = Apply(op, values[i], other != nullptr ? other[i] : 0.0f);
}

}  // namespace intmill
