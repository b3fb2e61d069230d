// Attention over bytes: softmax(scale * q k + mask) v, one head after the other, without the
// matrices between in memory.
#ifndef INTMILL_KERNELS_NATIVE_ATTENTION_H
#define INTMILL_KERNELS_NATIVE_ATTENTION_H

#include <memory>

#include "base/cpu.h"
#include "base/status.h"
#include "kernels/kernel.h"
#include "tensor/dtype.h"

namespace intmill::native {

// Bytes (for a mask: elements) from one to the next, of what has a row for each token.
struct HeadStrides {
  int64_t batch = 0;
  int64_t head = 0;
  int64_t token = 0;
};

// With exact sums in s32, and every other operation rounded to f32 on its own:
//
//   s    = sum of (q - q_zero_point) k
//   t    = float(s) * score_scale * scale + mask
//   p    = round(P e^(t - largest t of the row)), P = min(65535, 2^24 / keys); without a mask, a
//          positive scale and a depth of no more than 32768, t - largest t is
//          float(s - largest s) * (score_scale * scale)
//   y    = float(sum of p v) * (value_scale / sum of p)
//   out  = y, or saturate(round_half_even(y) + out_zero_point)
//
// A p has two bytes, which are multiplied one by one: of sums of bytes of weights alone, small ones
// would be lost beside a large one. 2^24 keeps sums with v within s32, and those of p exact in f32.
// The same bits on any instruction set and with any number of threads. Kernel inputs: 0 q (u8
// or s8), 1 k and 2 v (s8, zero point 0), 3 the mask (f32) where there is one.
struct ByteAttention {
  int64_t batch = 1;
  int64_t heads = 1;
  int64_t queries = 1;  // tokens that ask
  int64_t keys = 1;     // tokens that are asked
  int64_t depth = 1;    // of a query and a key; at most 66311, as are the keys
  int64_t width = 1;    // of a value

  HeadStrides q;
  HeadStrides k;
  int64_t k_element = 1;  // bytes from one element of a key to the next
  HeadStrides v;
  HeadStrides out;  // in elements
  bool has_mask = false;
  HeadStrides mask;  // its token stride is that of queries

  DType q_dtype = DType::kU8;
  int32_t q_zero_point = 0;
  float score_scale = 1;  // of q times that of k
  float scale = 1;
  float value_scale = 1;  // of v, by that of the output where that is integers
  DType out_dtype = DType::kF32;
  int32_t out_zero_point = 0;
};
Result<std::unique_ptr<Kernel>> MakeByteAttention(const ByteAttention& attention, Isa isa);

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_ATTENTION_H
