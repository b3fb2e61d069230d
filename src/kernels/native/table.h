// 8-bit to 8-bit through 256 entries: any function of one quantized number.
#ifndef INTMILL_KERNELS_NATIVE_TABLE_H
#define INTMILL_KERNELS_NATIVE_TABLE_H

#include <array>
#include <memory>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"

namespace intmill::native {

// The output byte for each input byte (s8 as its two's complement byte).
using ByteTable = std::array<uint8_t, 256>;

// Input and output dense and in the same order; they may be the same memory.
Result<std::unique_ptr<Kernel>> MakeTable(const ByteTable& table, int64_t elements, Isa isa);

// Runs `kernel`, and then replaces the bytes of its output 0.
Result<std::unique_ptr<Kernel>> MakeWithTable(std::unique_ptr<Kernel> kernel,
                                              const ByteTable& table, int64_t elements, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_TABLE_H
