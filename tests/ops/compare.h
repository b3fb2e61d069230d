// Comparing what an operator gave with what was wanted, within a stated tolerance.
#ifndef INTMILL_TESTS_OPS_COMPARE_H
#define INTMILL_TESTS_OPS_COMPARE_H

#include <string>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill::test {

// |found - wanted| <= tolerance * max(1, |wanted|); NaN equals NaN. The message names the worst
// element.
Status CompareTensors(const Tensor& found, const Tensor& wanted, double tolerance);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_COMPARE_H
