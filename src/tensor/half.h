// 16-bit floating point as bits, converted exactly or rounded half to even.
#ifndef INTMILL_TENSOR_HALF_H
#define INTMILL_TENSOR_HALF_H

#include <cstdint>

namespace intmill {

float F16ToFloat(uint16_t bits);
uint16_t FloatToF16(float value);
float Bf16ToFloat(uint16_t bits);
uint16_t FloatToBf16(float value);

}  // namespace intmill

#endif  // INTMILL_TENSOR_HALF_H
