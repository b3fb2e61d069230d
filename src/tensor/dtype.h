// Element types, their sizes and names.
#ifndef INTMILL_TENSOR_DTYPE_H
#define INTMILL_TENSOR_DTYPE_H

#include <cstdint>

namespace intmill {

// The numbers are those of intmill_dtype in the public header; kNone: not known yet.
enum class DType : int32_t {
  kNone = 0,
  kF32 = 1,
  kF16 = 2,
  kBf16 = 3,
  kS8 = 4,
  kU8 = 5,
  kS32 = 6,
  kS64 = 7,
  kS4 = 8,
  kU4 = 9,
  kBool = 10,
  kS16 = 11,
};

const char* DTypeName(DType dtype);       // "f32", "u8", ...
bool IsKnown(DType dtype);                // one of the enumerators but kNone
bool IsQuantized8(DType dtype);           // s8 or u8
bool IsQuantizedActivation(DType dtype);  // s8, u8 or s16
// Bits of one element; 4-bit types are packed two to a byte, low half first.
int64_t BitsOf(DType dtype);
// Range of an integer type (kS4 to kS32, kU4, kU8, kS16).
int64_t MinOf(DType dtype);
int64_t MaxOf(DType dtype);

template <typename T>
struct DTypeOfType;
template <>
struct DTypeOfType<float> {
  static constexpr DType value = DType::kF32;
};
template <>
struct DTypeOfType<int8_t> {
  static constexpr DType value = DType::kS8;
};
template <>
struct DTypeOfType<uint8_t> {
  static constexpr DType value = DType::kU8;
};
template <>
struct DTypeOfType<int16_t> {
  static constexpr DType value = DType::kS16;
};
template <>
struct DTypeOfType<int32_t> {
  static constexpr DType value = DType::kS32;
};
template <>
struct DTypeOfType<int64_t> {
  static constexpr DType value = DType::kS64;
};
template <>
struct DTypeOfType<bool> {
  static constexpr DType value = DType::kBool;
};

}  // namespace intmill

#endif  // INTMILL_TENSOR_DTYPE_H
