// Types and shapes of arrays in files: sizes, names, checked products.
#ifndef INTMILL_CLI_ARRAY_H
#define INTMILL_CLI_ARRAY_H

#include <cstdint>
#include <intmill/intmill.h>
#include <string>
#include <vector>

namespace intmill::cli {

using Dims = std::vector<int64_t>;

struct ArrayType {
  intmill_dtype dtype = INTMILL_F32;
  Dims dims;
};

int64_t BytesOfOne(intmill_dtype dtype);
const char* DTypeName(intmill_dtype dtype);  // "f32", "u8", ...

// -1 when it does not fit into 2^46, which is more than any array here has a use for.
int64_t ElementCount(const Dims& dims);
int64_t ByteCount(const ArrayType& type);

std::string ShapeText(const Dims& dims);  // "1x28x28", -1 as "?", "scalar"
std::string ArrayText(const ArrayType& type);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_ARRAY_H
