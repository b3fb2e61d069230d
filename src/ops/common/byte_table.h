// Tables that stand for any function between two 8-bit tensors with scales.
#ifndef INTMILL_OPS_COMMON_BYTE_TABLE_H
#define INTMILL_OPS_COMMON_BYTE_TABLE_H

#include "ir/op.h"
#include "kernels/native/table.h"

namespace intmill::ops {

// 8 bits with one scale and zero point.
bool IsScaledByte(const Operand& operand);

// One byte for each of 256 real numbers.
native::ByteTable QuantizeAll(const Tensor& values, const QParams& q);
// From the bytes of one scale to the nearest of another.
Result<native::ByteTable> RescaleTable(const QParams& from, const QParams& to);

}  // namespace intmill::ops

#endif  // INTMILL_OPS_COMMON_BYTE_TABLE_H
