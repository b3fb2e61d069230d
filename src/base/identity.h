// What tells one build of a library, and one kind of processor, from others.
#ifndef INTMILL_BASE_IDENTITY_H
#define INTMILL_BASE_IDENTITY_H

#include <string>

namespace intmill {

// The linker's build id of the program or library that `address` lies in, in hexadecimal; "unknown"
// where it has none.
std::string BuildIdOf(const void* address);

// A digest of what the processor says of its instructions, caches and topology: what decides which
// code oneDNN generates. The same on all cores of a machine.
std::string ProcessorDigest();

}  // namespace intmill

#endif  // INTMILL_BASE_IDENTITY_H
