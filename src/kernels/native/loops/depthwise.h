// What the loops of depthwise convolutions are given: one strip of output pixels, in one block of
// channels. See depthwise.cpp.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_H
#define INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_H

#include <stdint.h>

namespace intmill::native {

constexpr int64_t kMaxDepthwiseSide = 5;  // of a kernel

// The channels of a block that has `width` of them, in the order in which vectors hold them: what
// unpacking bytes twice leaves in quarter i (of four), lane l (of 16 channels) and element j is
// channel 16 l + 4 i + j. Returns the place of a channel.
constexpr int64_t DepthwisePlace(int64_t channel, int64_t width) {
  return ((channel % 16 / 4) * (width / 16) + channel / 16) * 4 + channel % 4;
}

// The packed constants of blocks of channels, one after the other: weights, as [column][group of
// rows][channel][row of the group] with zeros for rows that are not there; then, in the order
// above, the start of each sum (int32, takes back what the input's zero point adds), its scale and
// its bias (float). The last block may overlap the one before it.
struct DepthwiseBlocks {
  const uint8_t* packed;
  int64_t bytes;  // of a block
  int64_t count;
  int64_t last;  // first channel of the last block
};

enum class DepthwiseOutput { kU8, kS8, kF32, kSums };

// t = float(sum) * scale + bias; t = t + zero_point; min(max(t, low), high); rounded to bytes. Sums
// are left as they are.
struct DepthwiseFinish {
  DepthwiseOutput output;
  bool has_zero_point;
  bool has_clamp;   // of floats; bytes are always clamped
  bool is_bounded;  // no t reaches 2^31
  float zero_point;
  float low;  // of bytes: integers
  float high;
};

struct DepthwiseStrip {
  // For each row under the kernel: its first pixel that is in the image. Rows outside are padding.
  const uint8_t* rows[kMaxDepthwiseSide];
  int64_t step;  // from pixel to pixel
  // Columns under the kernel: `left` of padding, `middle` in the image, the rest padding again.
  int64_t left;
  int64_t middle;
  uint8_t padding;   // the input's zero point
  uint8_t flip;      // 0x80 makes u8 of s8, of the padding, too
  int64_t pixels;    // of the output
  void* out;         // of the first pixel, as `rows`
  int64_t out_step;  // elements from pixel to pixel
};

using DepthwiseLoop = void (*)(const DepthwiseStrip& strip, const DepthwiseBlocks& blocks,
                               const DepthwiseFinish& finish);

// For blocks of one width, by stride.
struct DepthwiseWidth {
  int64_t channels;
  DepthwiseLoop side3[2];  // kernels of 3 x 3
  DepthwiseLoop side5[2];
};

struct DepthwiseLoops {
  int64_t group;         // rows that are multiplied together
  int64_t weight_bytes;  // of one packed weight
  int64_t width_count;
  const DepthwiseWidth* widths;  // falling; the last is 16
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_DEPTHWISE_H
