// Scales and zero points: what an integer tensor means. real = (q - zero_point) * scale.
#ifndef INTMILL_TENSOR_QPARAMS_H
#define INTMILL_TENSOR_QPARAMS_H

#include <cstdint>
#include <memory>
#include <vector>

#include "base/status.h"
#include "tensor/dtype.h"
#include "tensor/shape.h"

namespace intmill {

struct QParams {
  DType dtype = DType::kNone;  // s8, u8, s16, s32 (bias), s4, u4
  int64_t axis = -1;           // -1: one scale; else one scale per index of that axis
  std::vector<float> scales;
  std::vector<int32_t> zero_points;  // as many as scales

  bool per_tensor() const { return axis < 0; }
  bool operator==(const QParams&) const = default;
};
using QParamsPtr = std::shared_ptr<const QParams>;

// Finite scales >= FLT_MIN, zero points in the range of the type, matching counts.
Status CheckQParams(const QParams& q);
// Also that a tensor of this shape has q.axis, with as many indices as there are scales.
Status CheckQParamsFit(const QParams& q, const Shape& shape);

// The closed range of real values seen or wanted.
struct Range {
  float min = 0;
  float max = 0;
};

// Scale and zero point that cover `range` together with 0 (numerics rule 3). Symmetric: zero point
// 0 for s8 (in -127..127), 128 for u8; s16 is always symmetric. A range of only 0 gives scale 1.
void ChooseScale(Range range, DType dtype, bool symmetric, float* scale, int32_t* zero_point);

}  // namespace intmill

#endif  // INTMILL_TENSOR_QPARAMS_H
