// Three spatial dimensions always: kernels for one and two dimensions are the same with ones in
// front.
#ifndef INTMILL_KERNELS_NATIVE_TRIPLE_H
#define INTMILL_KERNELS_NATIVE_TRIPLE_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace intmill::native {

using Triple = std::array<int64_t, 3>;

inline Triple ToTriple(const std::vector<int64_t>& values, int64_t fill) {
  Triple out = {fill, fill, fill};
  std::copy_backward(values.begin(), values.end(), out.end());
  return out;
}

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_TRIPLE_H
