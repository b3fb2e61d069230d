// Tables that stand for any function between two 8-bit tensors with scales.
#include "ops/common/byte_table.h"

#include "tensor/quantize.h"

namespace intmill::ops {

bool IsScaledByte(const Operand& operand) {
  return IsQuantized8(operand.dtype) && operand.qparams != nullptr && operand.qparams->per_tensor();
}

Result<Tensor> RealValues(const QParams& q) {
  ASSIGN_OR_RETURN(Tensor values, Tensor::Make(DType::kF32, {256}));
  for (int32_t byte = 0; byte < 256; ++byte) {
    const int32_t stored = q.dtype == DType::kS8 ? static_cast<int8_t>(byte) : byte;
    values.mutable_data<float>()[byte] = DequantizeValue(stored, q.scales[0], q.zero_points[0]);
  }
  return values;
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
  ASSIGN_OR_RETURN(const Tensor real, RealValues(from));
  return QuantizeAll(real, to);
}

}  // namespace intmill::ops
