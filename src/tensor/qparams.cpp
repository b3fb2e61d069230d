// Checking quantization parameters, and choosing them for a range.
#include "tensor/qparams.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

namespace intmill {
namespace {

bool CanBeQuantizedTo(DType dtype) {
  return IsQuantizedActivation(dtype) || dtype == DType::kS4 || dtype == DType::kU4 ||
         dtype == DType::kS32;
}

float Finite(float x) { return std::isnan(x) ? 0 : std::clamp(x, -FLT_MAX, FLT_MAX); }

// At least FLT_MIN, so that neither the scale nor its reciprocal leaves the normal numbers.
float ToScale(double scale) {
  return static_cast<float>(std::clamp<double>(scale, FLT_MIN, FLT_MAX));
}

}  // namespace

Status CheckQParams(const QParams& q) {
  if (!CanBeQuantizedTo(q.dtype))
    return Error(Code::kInvalidArgument, "cannot quantize to ", DTypeName(q.dtype));
  const auto count = static_cast<int64_t>(q.scales.size());
  if (count == 0 || q.zero_points.size() != q.scales.size())
    return Error(Code::kInvalidArgument, "found ", count, " scales and ", q.zero_points.size(),
                 " zero points, wanted as many of both, at least one");
  if (q.axis < -1 || q.axis >= kMaxRank)
    return Error(Code::kInvalidArgument, "axis ", q.axis, " is not in -1..", kMaxRank - 1);
  if (q.per_tensor() && count != 1)
    return Error(Code::kInvalidArgument, "found ", count, " scales without an axis, wanted 1");
  for (const float scale : q.scales)
    if (!(scale >= FLT_MIN && scale <= FLT_MAX))
      return Error(Code::kInvalidArgument, "scale ", scale,
                   " is not a positive, finite, normal number");
  // s32 is the type of biases and accumulators, whose zero point is 0 by definition in ONNX.
  const int64_t lo = q.dtype == DType::kS32 ? 0 : MinOf(q.dtype);
  const int64_t hi = q.dtype == DType::kS32 ? 0 : MaxOf(q.dtype);
  for (const int32_t zero_point : q.zero_points)
    if (zero_point < lo || zero_point > hi)
      return Error(Code::kInvalidArgument, "zero point ", zero_point, " is not in ", lo, "..", hi,
                   " of ", DTypeName(q.dtype));
  return Ok();
}

Status CheckQParamsFit(const QParams& q, const Shape& shape) {
  if (q.per_tensor()) return Ok();
  const auto count = static_cast<int64_t>(q.scales.size());
  if (q.axis >= static_cast<int64_t>(shape.size()))
    return Error(Code::kShape, "scales lie along axis ", q.axis, ", the tensor is ",
                 ToString(shape));
  const int64_t dim = shape[static_cast<size_t>(q.axis)];
  if (dim != count)
    return Error(Code::kShape, "found ", count, " scales along axis ", q.axis, " of ",
                 ToString(shape), ", wanted ", dim);
  return Ok();
}

// Asymmetric: s = (max - min) / (qmax - qmin), z = round(qmin - min / s).
// Symmetric: s = max|r| / qmax with the narrow range -qmax..qmax; unsigned types are the same
// numbers shifted by 2^(bits - 1), so that u8 and s8 tensors of a range quantize alike. 16 bits are
// always symmetric: kernels split them into bytes, which wants zero to be 0.
void ChooseScale(Range range, DType dtype, bool symmetric, float* scale, int32_t* zero_point) {
  const double min = std::min(Finite(range.min), 0.0F);
  const double max = std::max(Finite(range.max), 0.0F);
  const auto qmin = static_cast<double>(MinOf(dtype));
  const auto qmax = static_cast<double>(MaxOf(dtype));
  if (symmetric || dtype == DType::kS16) {
    const double center = qmin < 0 ? 0 : (qmax + 1) / 2;
    const double largest = std::max(-min, max);
    *scale = largest == 0 ? 1 : ToScale(largest / (qmax - center));
    *zero_point = static_cast<int32_t>(center);
    return;
  }
  if (min == 0 && max == 0) {
    *scale = 1;
    *zero_point = 0;
    return;
  }
  *scale = ToScale((max - min) / (qmax - qmin));
  *zero_point = static_cast<int32_t>(std::clamp(std::rint(qmin - min / *scale), qmin, qmax));
}

}  // namespace intmill
