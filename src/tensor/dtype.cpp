// The table of element types.
#include "tensor/dtype.h"

namespace intmill {
namespace {

struct Row {
  DType dtype;
  const char* name;
  int64_t bits;
  int64_t min;
  int64_t max;
};

// Ranges of float types and of s64 are never asked for.
constexpr Row kRows[] = {
    {DType::kNone, "none", 0, 0, 0},
    {DType::kF32, "f32", 32, 0, 0},
    {DType::kF16, "f16", 16, 0, 0},
    {DType::kBf16, "bf16", 16, 0, 0},
    {DType::kS8, "s8", 8, -128, 127},
    {DType::kU8, "u8", 8, 0, 255},
    {DType::kS32, "s32", 32, INT32_MIN, INT32_MAX},
    {DType::kS64, "s64", 64, INT64_MIN, INT64_MAX},
    {DType::kS4, "s4", 4, -8, 7},
    {DType::kU4, "u4", 4, 0, 15},
    {DType::kBool, "bool", 8, 0, 1},
    {DType::kS16, "s16", 16, -32768, 32767},
};

// A number that is no enumerator is treated as kNone: it has no bits and no range.
const Row& Find(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row;
  return kRows[0];
}

}  // namespace

const char* DTypeName(DType dtype) { return Find(dtype).name; }
bool IsKnown(DType dtype) { return Find(dtype).bits != 0; }
bool IsQuantized8(DType dtype) { return dtype == DType::kS8 || dtype == DType::kU8; }
bool IsQuantizedActivation(DType dtype) { return IsQuantized8(dtype) || dtype == DType::kS16; }
int64_t BitsOf(DType dtype) { return Find(dtype).bits; }
int64_t MinOf(DType dtype) { return Find(dtype).min; }
int64_t MaxOf(DType dtype) { return Find(dtype).max; }

}  // namespace intmill
