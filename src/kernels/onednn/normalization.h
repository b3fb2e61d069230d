// Softmax of floats by oneDNN.
#ifndef INTMILL_KERNELS_ONEDNN_NORMALIZATION_H
#define INTMILL_KERNELS_ONEDNN_NORMALIZATION_H

#include <memory>

#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::onednn {

// Over the middle one of three dimensions of row-major memory.
struct Softmax {
  bool is_log = false;
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;
};
Result<std::unique_ptr<Kernel>> MakeSoftmax(const Softmax& softmax);

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_NORMALIZATION_H
