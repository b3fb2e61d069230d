// What a file is, from its first bytes.
#ifndef INTMILL_IMPORT_SNIFF_H
#define INTMILL_IMPORT_SNIFF_H

#include <cstddef>
#include <span>
#include <string>

#include "base/status.h"
#include "import/load.h"

namespace intmill {

// kOnnx or kIntmill; otherwise an error that says what was found and what is wanted.
Result<FileKind> Sniff(std::span<const std::byte> bytes);

}  // namespace intmill

#endif  // INTMILL_IMPORT_SNIFF_H
