// Mapped files as memory: giving back pages that nobody is about to read.
#ifndef INTMILL_BASE_MAPPING_H
#define INTMILL_BASE_MAPPING_H

#include <cstddef>
#include <span>

namespace intmill {

// Drops from memory those whole pages of `bytes` that MapFile mapped; reading them again brings
// them back from the file. Other memory is left alone. Thread-safe; a few pages are not worth the
// call.
void ForgetPages(std::span<const std::byte> bytes);

}  // namespace intmill

#endif  // INTMILL_BASE_MAPPING_H
