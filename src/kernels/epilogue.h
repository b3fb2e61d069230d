// What a kernel that accumulates (convolution, matrix product) does to a sum before writing it: one
// arithmetic that oneDNN's kernels and our own give bit for bit.
#ifndef INTMILL_KERNELS_EPILOGUE_H
#define INTMILL_KERNELS_EPILOGUE_H

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/native/table.h"
#include "tensor/dtype.h"

namespace intmill {

struct EpilogueStep {
  enum class Kind {
    kAdd,   // t = t + operand
    kClip,  // t = min(max(t, alpha), beta)
    kLeakyRelu,
    kSigmoid,
    kTanh,
    kElu,
    kHardSigmoid,
    kHardSwish,
    kGelu,
    kSwish,
  };
  Kind kind = Kind::kClip;
  float alpha = 0;
  float beta = 0;
  // kAdd: which input of the kernel, its type (f32, or u8/s8 read as plain numbers), and its shape
  // in the output's rank, 1 where it is stretched; empty: shape and layout of the output.
  int64_t input = 0;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
};

// With `a` the exact sum (s32 from integers), c the output channel, every operation rounded to f32
// on its own (oneDNN's kernels multiply and add separately; checked by tests/unit/kernels):
//
//   t = float(a) * scale[c]        integers only
//   t = t + bias[c]
//   t = step(t)                    for each step in order
//   t = t * (1 / divisor)          unless 1; integers only
//   t = t + zero_point             unless 0
//   q = saturate(round_half_even(t))    integer outputs; floats are t
//   q = table[q]                        unless there is none; bytes only
//
// A zero point whose addition can be put into the bias is put there, so that one multiply and one
// add remain.
struct Epilogue {
  std::vector<float> scales;  // one, or one per channel; empty for floats
  std::vector<float> bias;    // one per channel; empty: none
  std::vector<EpilogueStep> steps;
  float divisor = 1;
  int32_t zero_point = 0;
  std::optional<native::ByteTable> table;  // of bytes with the kernel's output type in front of it
};

}  // namespace intmill

#endif  // INTMILL_KERNELS_EPILOGUE_H
