// The .npy format: one array, a short text header and the elements.
#ifndef INTMILL_CLI_NPY_H
#define INTMILL_CLI_NPY_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "cli/array.h"

namespace intmill::cli {

struct NpyHeader {
  ArrayType type;
  int64_t data_offset = 0;
};

// Checks all that the header says against the bytes there are; `name` opens the messages.
NpyHeader ParseNpy(std::span<const std::byte> bytes, const std::string& name);

// What stands before the elements; its size is a multiple of 64.
std::string NpyPreamble(const ArrayType& type);

}  // namespace intmill::cli

#endif  // INTMILL_CLI_NPY_H
