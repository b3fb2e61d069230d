// The hot loops of the native kernels: one source, compiled once for each level of instruction set.
//
// Sources in this folder include nothing but this folder, <stdint.h> and <immintrin.h>,
// and keep their helpers in unnamed namespaces: an inline function that the linker may share
// between objects could bring AVX-512 instructions to a machine without them. No contraction to
// fused multiply-add (cmake/flags.cmake), so that every level gives the same bits.
#ifndef INTMILL_KERNELS_NATIVE_LOOPS_LOOPS_H
#define INTMILL_KERNELS_NATIVE_LOOPS_LOOPS_H

#include <stdint.h>

#include "kernels/native/loops/depthwise.h"

namespace intmill::native {

enum class UnaryFunction {
  kAbs,
  kCeil,
  kClip,  // alpha, beta: bounds
  kElu,   // alpha
  kErf,
  kExp,
  kFloor,
  kGelu,
  kGeluTanh,
  kHardSigmoid,  // alpha, beta: slope and offset
  kHardSwish,
  kIdentity,
  kLeakyRelu,  // alpha
  kLog,
  kNeg,
  kReciprocal,
  kRelu,
  kRound,
  kSigmoid,
  kSign,
  kSoftplus,
  kSqrt,
  kSquare,
  kSwish,
  kTanh,
  kCount,
};

enum class BinaryFunction { kAdd, kSub, kMul, kDiv, kMin, kMax, kPRelu, kPow, kCount };

// x and y may be the same memory.
using UnaryLoop = void (*)(const float* x, float* y, int64_t n, float alpha, float beta);

// out[i] = min(max(a[i * a_stride] op b[i * b_stride], low), high)
struct FloatPair {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
};
using BinaryLoop = void (*)(const FloatPair& in, float* out, int64_t n, float low, float high);

// 8-bit values as bytes: u8 as they are, s8 with the top bit flipped, which adds 128, so that one
// loop serves both; zero points are in the flipped domain (u8: 0..255).
struct ByteScale {
  uint8_t flip;  // 0 for u8, 0x80 for s8
  int32_t zero_point;
  float scale;
};
// out[i] = Quantize(min(max(Dequantize(a) op Dequantize(b), low), high))
struct BytePair {
  const uint8_t* a;
  int64_t a_stride;
  const uint8_t* b;
  int64_t b_stride;
};
struct ByteBinary {
  ByteScale a;
  ByteScale b;
  ByteScale out;
  float low;
  float high;
};
using ByteBinaryLoop = void (*)(const ByteBinary& how, const BytePair& in, uint8_t* out, int64_t n);

// y[i] = table[x[i]]; x and y may be the same memory.
using TableLoop = void (*)(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);

// Exact integer sums; see dot.cpp.
struct IntegerLoops {
  // y = (x ^ flip) - zero_point
  void (*widen)(const uint8_t* x, uint8_t flip, int32_t zero_point, int16_t* y, int64_t n);
  // out[i * out_stride + j] = sum of a[i * depth + k] * b[j * depth + k] over k; at most 4 rows
  void (*dot_rows)(const int16_t* a, int64_t rows, const int16_t* b, int64_t columns, int64_t depth,
                   int32_t* out, int64_t out_stride);
  // sums[i] += a[i] * b[i]
  void (*multiply_add)(const int16_t* a, const int16_t* b, int32_t* sums, int64_t n);
};

using QuantizeLoop = void (*)(const float* x, uint8_t* y, int64_t n, const ByteScale& scale);
using DequantizeLoop = void (*)(const uint8_t* x, float* y, int64_t n, const ByteScale& scale);

// The same for s16, with any zero point, and x = 256 * high + low with low in 0..255; what is
// stored of high is high + 128. `flip` means nothing here.
struct Int16Loops {
  void (*quantize)(const float* x, int16_t* y, int64_t n, const ByteScale& scale);
  void (*dequantize)(const int16_t* x, float* y, int64_t n, const ByteScale& scale);
  void (*split)(const int16_t* x, uint8_t* high, uint8_t* low, int64_t n);
};
// f32 to bf16, rounded half to even, NaN staying NaN; or back.
using HalfLoop = void (*)(const void* x, void* y, int64_t n);
// Widens [*min, *max] to the numbers in x; NaN is passed over.
using RangeLoop = void (*)(const float* x, int64_t n, float* min, float* max);

// y[i] = e^(t[i]) / sum of e^t, with t[i] = x[i] * scale + mask[i]. `mask` may be null. x and y may
// be the same memory.
using SoftmaxLoop = void (*)(const float* x, const float* mask, float scale, float* y, int64_t n);

// Of layer normalization; `bias` may be null.
struct NormParameters {
  const float* scale;
  const float* bias;
  float epsilon;
};
using LayerNormLoop = void (*)(const NormParameters& p, const float* x, float* y, int64_t n);

// Scores of some queries: t = float(sum) * sum_scale * scale + mask.
struct ScoreRows {
  int32_t* sums;  // overwritten
  int64_t step;   // keys, rounded up to a multiple of 16
  float sum_scale;
  float scale;
  const float* mask;  // may be null
  int64_t mask_step;
  int64_t count;
  int64_t keys;
  float most;  // of a weight; at most 65535, and times the keys at most 2^24
  // That t - largest t is float(sum - largest sum) * (sum_scale * scale), a finite number: without
  // a mask, where scales are positive and no difference leaves 32 bits.
  bool by_difference;
};

// What attention over bytes does between and behind its products; see attention.cpp.
struct AttentionLoops {
  // p[k] = round(most e^(t[k] - largest)) for each row, and their sum. In y the high bytes of all
  // rows, which lie a step apart too, with zeros at the end; then the low bytes.
  void (*exponentials)(const ScoreRows& rows, uint8_t* y, float* sums);
  // y[i] = saturate(round(x[i] * factor) + zero_point) ^ flip, in the domain of u8
  void (*to_bytes)(const float* x, float factor, float zero_point, uint8_t flip, uint8_t* y,
                   int64_t n);
  // The same of x[i] = 256 high[i] + low[i], which fits.
  void (*sums_to_bytes)(const int32_t* high, const int32_t* low, float factor, float zero_point,
                        uint8_t flip, uint8_t* y, int64_t n);
  void (*sums_to_floats)(const int32_t* high, const int32_t* low, float factor, float* y,
                         int64_t n);
};

// Windows of one shape, `step` bytes apart.
struct Windows {
  const void* x;  // the first element of the first window
  int64_t count;  // of windows
  int64_t step;
  int64_t sizes[3];    // elements of a window
  int64_t strides[3];  // bytes between them
  int64_t channels;
};

// y[w][c] = the largest of window w; sums[i] += x[i]
struct PoolLoops {
  void (*largest_f32)(const Windows& windows, void* y);
  void (*largest_u8)(const Windows& windows, void* y);
  void (*largest_s8)(const Windows& windows, void* y);
  void (*sum_f32)(const float* x, double* sums, int64_t n);
  void (*sum_u8)(const void* x, int32_t* sums, int64_t n);
  void (*sum_s8)(const void* x, int32_t* sums, int64_t n);
};

// sums[i] += x[i] * weight
using WeighLoop = void (*)(const float* x, float weight, float* sums, int64_t n);

// dst[j * dst_stride + i] = src[i * src_stride + j] for all rows i and columns j.
struct MatrixShape {
  int64_t rows;
  int64_t columns;
  int64_t src_stride;
  int64_t dst_stride;
};
using TransposeLoop = void (*)(const void* src, const MatrixShape& matrix, void* dst);

// One level's functions; arrays are indexed by the enumerators.
// Asks for memory that will be written soon: its lines may be in another core's cache.
using FetchLoop = void (*)(void* at, int64_t bytes);

struct Loops {
  const char* level;
  const UnaryLoop* unary;
  const BinaryLoop* binary;
  const ByteBinaryLoop* byte_binary;
  const IntegerLoops* integer;
  const PoolLoops* pool;
  const DepthwiseLoops* depthwise;
  QuantizeLoop quantize;
  DequantizeLoop dequantize;
  const Int16Loops* int16;
  HalfLoop narrow_bf16;
  HalfLoop widen_bf16;
  RangeLoop range;
  WeighLoop weigh;
  SoftmaxLoop softmax;
  LayerNormLoop layer_norm;
  FetchLoop fetch;
  const AttentionLoops* attention;
  TransposeLoop transpose_bytes;
  TransposeLoop transpose_words;  // of 4 bytes
};

#ifdef INTMILL_LEVEL
namespace INTMILL_LEVEL {
extern const Loops kLoops;
extern const UnaryLoop kUnaryLoops[];
extern const BinaryLoop kBinaryLoops[];
extern const ByteBinaryLoop kByteBinaryLoops[];
extern const IntegerLoops kIntegerLoops;
extern const Int16Loops kInt16Loops;
extern const PoolLoops kPoolLoops;
extern const AttentionLoops kAttentionLoops;
extern const DepthwiseLoops kDepthwiseLoops;
void TableRow(const uint8_t* table, const uint8_t* x, uint8_t* y, int64_t n);
void QuantizeRow(const float* x, uint8_t* y, int64_t n, const ByteScale& scale);
void DequantizeRow(const uint8_t* x, float* y, int64_t n, const ByteScale& scale);
void NarrowBf16(const void* x, void* y, int64_t n);
void WidenBf16(const void* x, void* y, int64_t n);
void RangeOf(const float* x, int64_t n, float* min, float* max);
void WeighRow(const float* x, float weight, float* sums, int64_t n);
void SoftmaxRow(const float* x, const float* mask, float scale, float* y, int64_t n);
void LayerNormRow(const NormParameters& p, const float* x, float* y, int64_t n);
void FetchLines(void* at, int64_t bytes);
void TransposeBytes(const void* src, const MatrixShape& matrix, void* dst);
void TransposeWords(const void* src, const MatrixShape& matrix, void* dst);
}  // namespace INTMILL_LEVEL
#endif

}  // namespace intmill::native

#endif  // INTMILL_KERNELS_NATIVE_LOOPS_LOOPS_H
