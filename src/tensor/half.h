// 16-bit floating point as bits, converted exactly or rounded half to even.
#ifndef INTMILL_TENSOR_HALF_H
#define INTMILL_TENSOR_HALF_H

#include <cstdint>

#include "base/status.h"
#include "tensor/tensor.h"

namespace intmill {

float F16ToFloat(uint16_t bits);
uint16_t FloatToF16(float value);
float Bf16ToFloat(uint16_t bits);
uint16_t FloatToBf16(float value);

// A tensor of f32 in 16 bits, and one of bf16 in f32.
Result<Tensor> ToF16(const Tensor& floats);
Result<Tensor> FromBf16(const Tensor& halves);
Result<Tensor> ToBf16(const Tensor& floats);

}  // namespace intmill

#endif  // INTMILL_TENSOR_HALF_H
