// From an element type known at run time to a C++ type.
#ifndef INTMILL_OPS_COMMON_TYPES_H
#define INTMILL_OPS_COMMON_TYPES_H

#include "base/status.h"
#include "tensor/dtype.h"

namespace intmill::ops {

inline Status UnsupportedType(DType dtype) {
  return Error(Code::kUnsupported, "element type ", DTypeName(dtype));
}

// Calls fn(T{}) with the one of Ts that stands for `dtype`; kUnsupported when none does.
template <typename... Ts, typename Fn>
Status ForType(DType dtype, Fn&& fn) {
  Status status;
  const bool found = ((DTypeOfType<Ts>::value == dtype && ((status = fn(Ts{})), true)) || ...);
  return found ? std::move(status) : UnsupportedType(dtype);
}

// The same by element size, for code that only moves elements.
template <typename Fn>
Status ForElementSize(DType dtype, Fn&& fn) {
  switch (BitsOf(dtype)) {
    case 8:
      return fn(uint8_t{});
    case 16:
      return fn(uint16_t{});
    case 32:
      return fn(uint32_t{});
    case 64:
      return fn(uint64_t{});
    default:
      return UnsupportedType(dtype);  // packed 4-bit types
  }
}

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_TYPES_H
