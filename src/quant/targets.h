// The right classes that come with a batch.
#ifndef INTMILL_QUANT_TARGETS_H
#define INTMILL_QUANT_TARGETS_H

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill {

// None, or the class indices in the one tensor (s32 or s64).
Result<std::vector<int64_t>> ReadTargets(std::span<const Tensor> targets);
// As many as rows, each one of the classes.
Status CheckTargets(std::span<const int64_t> targets, int64_t rows, int64_t classes);

}  // namespace intmill

#endif  // INTMILL_QUANT_TARGETS_H
