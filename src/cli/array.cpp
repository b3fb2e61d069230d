// Types and shapes of arrays in files: sizes, names, checked products.
#include "cli/array.h"

#include "cli/error.h"

namespace intmill::cli {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 46;

}  // namespace

int64_t BytesOfOne(intmill_dtype dtype) {
  switch (dtype) {
    case INTMILL_F32:
    case INTMILL_S32:
      return 4;
    case INTMILL_F16:
    case INTMILL_BF16:
    case INTMILL_S16:
      return 2;
    case INTMILL_S64:
      return 8;
    default:
      return 1;
  }
}

const char* DTypeName(intmill_dtype dtype) {
  switch (dtype) {
    case INTMILL_F32:
      return "f32";
    case INTMILL_F16:
      return "f16";
    case INTMILL_BF16:
      return "bf16";
    case INTMILL_S8:
      return "s8";
    case INTMILL_U8:
      return "u8";
    case INTMILL_S16:
      return "s16";
    case INTMILL_S32:
      return "s32";
    case INTMILL_S64:
      return "s64";
    case INTMILL_BOOL:
      return "bool";
    default:
      return "?";
  }
}

int64_t ElementCount(const Dims& dims) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0) return -1;
    if (dim != 0 && count > kMostElements / dim) return -1;
    count *= dim;
  }
  return count;
}

int64_t ByteCount(const ArrayType& type) {
  const int64_t count = ElementCount(type.dims);
  return count < 0 ? -1 : count * BytesOfOne(type.dtype);
}

std::string ShapeText(const Dims& dims) {
  if (dims.empty()) return "scalar";
  std::string text;
  for (const int64_t dim : dims) {
    if (!text.empty()) text += 'x';
    text += dim < 0 ? "?" : std::to_string(dim);
  }
  return text;
}

std::string ArrayText(const ArrayType& type) {
  return Cat(DTypeName(type.dtype), " ", ShapeText(type.dims));
}

}  // namespace intmill::cli
