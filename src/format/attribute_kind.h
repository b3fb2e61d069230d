// Numbers of the kinds of attributes in an .im file; a number is never used anew.
#ifndef INTMILL_FORMAT_ATTRIBUTE_KIND_H
#define INTMILL_FORMAT_ATTRIBUTE_KIND_H

#include <cstdint>

namespace intmill::format {

enum class AttributeKind : uint32_t {
  kInt = 1,
  kFloat = 2,
  kString = 3,
  kInts = 4,
  kFloats = 5,
  kStrings = 6,
  kTensor = 7,
};

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_ATTRIBUTE_KIND_H
