// IEEE 754 binary16 and bfloat16 without help of the hardware, which the baseline does not have.
#include "tensor/half.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace intmill {
namespace {

Result<Tensor> Narrowed(const Tensor& floats, DType dtype, uint16_t (*convert)(float)) {
  ASSIGN_OR_RETURN(Tensor halves, Tensor::Make(dtype, floats.shape()));
  std::transform(floats.data<float>(), floats.data<float>() + floats.elements(),
                 halves.mutable_data<uint16_t>(), convert);
  return halves;
}

}  // namespace

float F16ToFloat(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) {
    // Zero or subnormal: fraction * 2^-24, exact in binary32.
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

uint16_t FloatToF16(float value) {
  const auto sign = static_cast<uint16_t>((std::bit_cast<uint32_t>(value) >> 16) & 0x8000);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (magnitude >= 65520.0F) return sign | 0x7c00;  // 65504 plus half a step rounds to infinity
  if (magnitude < 0x1p-14f)  // subnormal: steps of 2^-24; a carry to 1024 is the smallest normal
    return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude);
  const uint32_t odd = (bits >> 13) & 1;
  // Adding just under half a step, plus the last kept bit, rounds half to even; carries are right.
  return sign | static_cast<uint16_t>((bits + 0xfff + odd - (112U << 23)) >> 13);
}

float Bf16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

uint16_t FloatToBf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

Result<Tensor> FromBf16(const Tensor& halves) {
  ASSIGN_OR_RETURN(Tensor floats, Tensor::Make(DType::kF32, halves.shape()));
  std::transform(halves.data<uint16_t>(), halves.data<uint16_t>() + halves.elements(),
                 floats.mutable_data<float>(), Bf16ToFloat);
  return floats;
}

Result<Tensor> ToF16(const Tensor& floats) { return Narrowed(floats, DType::kF16, FloatToF16); }
Result<Tensor> ToBf16(const Tensor& floats) { return Narrowed(floats, DType::kBf16, FloatToBf16); }

}  // namespace intmill
