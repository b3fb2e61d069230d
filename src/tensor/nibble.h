// Numbers of four bits.
#ifndef INTMILL_TENSOR_NIBBLE_H
#define INTMILL_TENSOR_NIBBLE_H

#include <cstdint>

namespace intmill {

// Element i of packed 4-bit numbers, low half first.
inline int64_t NibbleAt(const uint8_t* data, int64_t i, bool is_signed) {
  const int half = i % 2 == 0 ? data[i / 2] & 0xf : data[i / 2] >> 4;
  return is_signed && half > 7 ? half - 16 : half;
}

}  // namespace intmill

#endif  // INTMILL_TENSOR_NIBBLE_H
