// Floats to 8- and 16-bit numbers and back, with scales known when the kernel is made or taken from
// the data.
#ifndef INTMILL_KERNELS_NATIVE_QUANTIZE_H
#define INTMILL_KERNELS_NATIVE_QUANTIZE_H

#include <memory>
#include <optional>
#include <vector>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

// Dense memory of `elements`, in rows that have one scale each, by turns.
struct ScaledRows {
  DType dtype = DType::kU8;  // u8, s8 or s16
  int64_t elements = 0;
  int64_t row_length = 1;
  std::vector<float> scales;
  std::vector<int32_t> zero_points;  // as many
};

Result<std::unique_ptr<Kernel>> MakeQuantize(ScaledRows rows, Isa isa);
Result<std::unique_ptr<Kernel>> MakeDequantize(ScaledRows rows, Isa isa);

// Splits numbers into bytes, x = 256 (high - 128) + low: outputs are high and low, u8 both. Those
// to split are s16, or floats that are quantized to s16 first with this scale and zero point 0.
Result<std::unique_ptr<Kernel>> MakeSplitInt16(int64_t elements, std::optional<float> scale,
                                               Isa isa);

// Outputs: u8 numbers, their scale (f32), their zero point (u8).
Result<std::unique_ptr<Kernel>> MakeDynamicQuantize(int64_t elements, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_QUANTIZE_H
