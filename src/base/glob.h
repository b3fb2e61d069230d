// Names with wildcards: * stands for any text, ? for one byte.
#ifndef INTMILL_BASE_GLOB_H
#define INTMILL_BASE_GLOB_H

#include <string_view>

namespace intmill {

// The whole text must match. Time is at most pattern size times text size.
bool GlobMatches(std::string_view pattern, std::string_view text);
// False when the pattern can match one text only: itself.
bool HasWildcard(std::string_view pattern);

}  // namespace intmill

#endif  // INTMILL_BASE_GLOB_H
