// y = x * factor[c] + offset[c] over memory whose fastest dimension is the channel.
#ifndef INTMILL_KERNELS_NATIVE_CHANNEL_AFFINE_H
#define INTMILL_KERNELS_NATIVE_CHANNEL_AFFINE_H

#include <limits>
#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::native {

struct ChannelAffine {
  int64_t pixels = 1;
  std::vector<float> factors;  // one per channel
  std::vector<float> offsets;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  int64_t packed_inputs = 0;  // inputs 1.. that became factors and offsets
};
Result<std::unique_ptr<Kernel>> MakeChannelAffine(ChannelAffine affine);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_CHANNEL_AFFINE_H
