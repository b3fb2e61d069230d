// Base64 (RFC 4648, with padding): bytes in text.
#ifndef INTMILL_BASE_BASE64_H
#define INTMILL_BASE_BASE64_H

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace intmill {

std::string ToBase64(std::span<const std::byte> bytes);
// kBadFormat for anything that ToBase64 does not write.
Result<std::vector<std::byte>> FromBase64(std::string_view text);

}  // namespace intmill

#endif  // INTMILL_BASE_BASE64_H
