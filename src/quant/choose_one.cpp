// One tensor as if it were all that a calibration saw.
#include "quant/choose_one.h"

#include "quant/observers/observer.h"
#include "quant/statistics.h"
#include "tensor/quantize.h"

namespace intmill {

Result<QParams> ChooseForTensor(const Tensor& x, int64_t axis, const LayerScheme& scheme) {
  if (axis != -1 && BitsOf(scheme.weight_dtype) < 8)
    return Error(Code::kUnsupported, "tensors of ", DTypeName(scheme.weight_dtype),
                 ": weights of 4 bits are inside models only");
  if (axis != -1)
    return ChooseQParams(
        x, {.dtype = scheme.weight_dtype, .symmetric = scheme.weight_symmetric, .axis = axis});
  if (x.dtype() != DType::kF32)
    return Error(Code::kShape, "found a tensor of ", DTypeName(x.dtype()), ", wanted f32");
  ValueStatistics statistics;
  statistics.Add(x.values<float>());
  QParams q{.dtype = scheme.activation_dtype, .axis = -1, .scales = {1}, .zero_points = {0}};
  ChooseScale(FindRange(statistics, scheme), q.dtype, scheme.activation_symmetric, &q.scales[0],
              &q.zero_points[0]);
  return q;
}

}  // namespace intmill
