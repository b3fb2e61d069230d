// The values of a case's tensors: literals, fills and reproducible random numbers.
#ifndef INTMILL_TESTS_OPS_CASE_VALUES_H
#define INTMILL_TESTS_OPS_CASE_VALUES_H

#include <span>
#include <string>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill::test {

using Words = std::span<const std::string>;

Result<DType> ParseDType(const std::string& word);
Result<Shape> ParseShape(const std::string& word);  // 1x3x4, scalar
Result<double> ParseNumber(const std::string& word);
Result<int64_t> ParseInteger(const std::string& word);

// "f32 2x3 = 1 2 3 4 5 6" and the other forms.
Result<Tensor> ParseTensor(Words words);

}  // namespace intmill::test

#endif  // INTMILL_TESTS_OPS_CASE_VALUES_H
