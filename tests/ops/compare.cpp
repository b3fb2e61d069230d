// Comparing what an operator gave with what was wanted, within a stated tolerance.
#include "ops/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace intmill::test {
namespace {

template <typename T>
double ErrorOf(T found, T wanted) {
  if constexpr (std::is_same_v<T, float>) {
    if (std::isnan(found) && std::isnan(wanted)) return 0;
    if (found == wanted) return 0;
    const double error = std::abs(static_cast<double>(found) - static_cast<double>(wanted));
    if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
    return error / std::max(1.0, std::abs(static_cast<double>(wanted)));
  } else {
    return found == wanted ? 0 : std::abs(static_cast<double>(found) - static_cast<double>(wanted));
  }
}

template <typename T>
Status CompareValues(const Tensor& found, const Tensor& wanted, double tolerance) {
  int64_t worst = -1;
  double worst_error = tolerance;
  for (int64_t i = 0; i < wanted.elements(); ++i) {
    const double error = ErrorOf(found.data<T>()[i], wanted.data<T>()[i]);
    if (!(error > worst_error)) continue;
    worst = i;
    worst_error = error;
  }
  if (worst < 0) return Ok();
  return Error(Code::kInternal, "element ", worst, ": found ",
               std::to_string(found.data<T>()[worst]), ", wanted ",
               std::to_string(wanted.data<T>()[worst]), ", error ", worst_error);
}

}  // namespace

Status CompareTensors(const Tensor& found, const Tensor& wanted, double tolerance) {
  if (found.dtype() != wanted.dtype() || found.shape() != wanted.shape())
    return Error(Code::kShape, "found ", DTypeName(found.dtype()), " ", ToString(found.shape()),
                 ", wanted ", DTypeName(wanted.dtype()), " ", ToString(wanted.shape()));
  switch (wanted.dtype()) {
    case DType::kF32:
      return CompareValues<float>(found, wanted, tolerance);
    case DType::kS8:
      return CompareValues<int8_t>(found, wanted, tolerance);
    case DType::kU8:
      return CompareValues<uint8_t>(found, wanted, tolerance);
    case DType::kS16:
      return CompareValues<int16_t>(found, wanted, tolerance);
    case DType::kS32:
      return CompareValues<int32_t>(found, wanted, tolerance);
    case DType::kS64:
      return CompareValues<int64_t>(found, wanted, tolerance);
    case DType::kBool:
      return CompareValues<bool>(found, wanted, tolerance);
    default:
      return Error(Code::kUnsupported, "comparing ", DTypeName(wanted.dtype()));
  }
}

}  // namespace intmill::test
