// Compares two tensors element by element, with the tolerances that the caller states.
#ifndef INTMILL_TESTS_SUPPORT_CLOSE_H
#define INTMILL_TESTS_SUPPORT_CLOSE_H

#include <cmath>
#include <cstring>
#include <string>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill::test {

struct Tolerance {
  double relative = 0;
  double absolute = 0;
};

inline bool IsClose(double found, double wanted, Tolerance tolerance) {
  if (std::isnan(wanted)) return std::isnan(found);
  if (found == wanted) return true;  // also the same infinity
  return std::abs(found - wanted) <= tolerance.absolute + tolerance.relative * std::abs(wanted);
}

// "" when close; otherwise what differs. Integers must be equal.
inline std::string Differs(const Tensor& found, const Tensor& wanted, Tolerance tolerance) {
  if (found.dtype() != wanted.dtype())
    return Cat("type ", DTypeName(found.dtype()), ", wanted ", DTypeName(wanted.dtype()));
  if (found.shape() != wanted.shape())
    return Cat("shape ", ToString(found.shape()), ", wanted ", ToString(wanted.shape()));
  if (found.dtype() != DType::kF32) {
    const bool is_equal =
        found.bytes() == 0 || std::memcmp(found.data<std::byte>(), wanted.data<std::byte>(),
                                          static_cast<size_t>(found.bytes())) == 0;
    if (is_equal) return "";
    for (int64_t i = 0; i < found.bytes(); ++i) {
      const int a = std::to_integer<int>(found.data<std::byte>()[i]);
      const int b = std::to_integer<int>(wanted.data<std::byte>()[i]);
      if (a != b) {
        return Cat(DTypeName(found.dtype()), " values differ, first at byte ", i, ": ", a,
                   ", wanted ", b);
      }
    }
  }
  for (int64_t i = 0; i < found.elements(); ++i) {
    const double a = found.data<float>()[i];
    const double b = wanted.data<float>()[i];
    if (!IsClose(a, b, tolerance)) return Cat("element ", i, " is ", a, ", wanted ", b);
  }
  return "";
}

}  // namespace intmill::test

#endif  // INTMILL_TESTS_SUPPORT_CLOSE_H
