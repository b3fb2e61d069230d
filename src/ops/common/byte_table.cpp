// Tables that stand for any function between two 8-bit tensors with scales.
#include "ops/common/byte_table.h"

#include "tensor/quantize.h"

namespace intmill::ops {

bool IsScaledByte(const Operand& operand) {
  return IsQuantized8(operand.dtype) && operand.qparams != nullptr && operand.qparams->per_tensor();
}

native::ByteTable QuantizeAll(const Tensor& values, const QParams& q) {
  native::ByteTable table{};
  const auto low = static_cast<int32_t>(MinOf(q.dtype));
  const auto high = static_cast<int32_t>(MaxOf(q.dtype));
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = static_cast<uint8_t>(
        QuantizeValue(values.data<float>()[i], q.scales[0], q.zero_points[0], low, high));
  return table;
}

Result<native::ByteTable> RescaleTable(const QParams& from, const QParams& to) {
  ASSIGN_OR_RETURN(const Tensor real, RealValuesOfBytes(from));
  return QuantizeAll(real, to);
}

}  // namespace intmill::ops
