// Sizes of what lies in memory in whole pieces.
#ifndef INTMILL_KERNELS_NATIVE_ROUND_UP_H
#define INTMILL_KERNELS_NATIVE_ROUND_UP_H

#include <cstdint>

namespace intmill::native {

// The least multiple of `to` that is not less than n >= 0.
constexpr int64_t RoundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_ROUND_UP_H
