// What the loops of products with weight-only integers are given: some rows of floats, and a panel
// of columns of the weights. See weight_only.cpp.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_WEIGHT_ONLY_H
#define INTMILL_KERNELS_NATIVE_LOOPS_WEIGHT_ONLY_H

#include <stdint.h>

namespace intmill::native {

constexpr int64_t kPanelColumns = 64;
constexpr int64_t kPanelStep = 8;     // depths are padded to it, and blocks are multiples of it
constexpr int64_t kPanelRows = 128;   // at most, in one call of `many`
constexpr int64_t kPanelChunk = 128;  // depth that `many` widens at once
constexpr int kWeightCenter = 8;      // what 4-bit weights are stored above

// Columns that are not there have scale 0. In 8 bits `weights` are s8 [depth][column]; in 4 bits
// [depth / 8][column][4 bytes], element k of 8 in bits 4k and up, each 8 more than the weight.
struct WeightPanel {
  const uint8_t* weights;
  const float* scales;       // [block][column]
  const float* zero_points;  // likewise; null: all are 0
  int64_t depth;             // a multiple of 8
  int64_t block;             // elements along the depth with one scale: a multiple of 8
};

struct WeightRows {
  const float* a;
  int64_t a_step;  // floats from row to row
  int64_t rows;
  // [row][block]: what is added up of `a` in each block; only where there are zero points.
  const float* sums;
  int64_t sums_step;
  float* out;  // [row][column]
};

// With w the integer, x a row, s and z of the block:
//   few:   out = sum over blocks of s * (sum of x * w - z * sum of x)
//   many:  out = sum of x * ((w - z) * s)
// Within a block `few` adds elements of even and of odd depth apart where there is one row. With
// fused multiply-add (all levels but baseline) every level gives the same bits.
using WeightLoop = void (*)(const WeightRows& rows, const WeightPanel& panel);

struct WeightLoops {
  const char* name;
  WeightLoop few[2];   // 4 bits, 8 bits
  WeightLoop many[2];  // at most kPanelRows rows
};

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_WEIGHT_ONLY_H
