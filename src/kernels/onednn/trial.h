// A kernel's trial: it runs once on made-up numbers before it is used, and some of what it writes
// is held against plain loops.
#ifndef INTMILL_KERNELS_ONEDNN_TRIAL_H
#define INTMILL_KERNELS_ONEDNN_TRIAL_H

#include "base/status.h"
#include "kernels/convolution.h"
#include "kernels/matmul.h"

namespace intmill::onednn {

// Which code oneDNN generates depends on the processor and on the caches that it, or a hypervisor,
// claims to have; some of it was found to be wrong (tests/unit/kernels), on machines that nobody
// had tested on. So no product is trusted unseen. kUnsupported, with what differs, when integers
// are not equal, or floats differ by more than sums in another order explain.
Status TryOut(const Convolution& conv, const Kernel& kernel);
Status TryOut(const MatMul& matmul, const Kernel& kernel);

}  // namespace intmill::onednn

#endif  // INTMILL_KERNELS_ONEDNN_TRIAL_H
