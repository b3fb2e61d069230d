// Choosing between two tensors, element by element, with broadcasting.
#ifndef INTMILL_KERNELS_NATIVE_SELECT_H
#define INTMILL_KERNELS_NATIVE_SELECT_H

#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::native {

// `shape` in the order of the output's memory; strides of the condition (bool), of what is taken
// where it holds, and of what is taken where it does not.
struct SelectShape {
  std::vector<int64_t> shape;
  std::vector<std::vector<int64_t>> strides;
};
Result<std::unique_ptr<Kernel>> MakeSelect(const SelectShape& shape, int64_t element_bits);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_SELECT_H
