// The sections of weights behind the structure of an .im file.
#ifndef INTMILL_FORMAT_SECTIONS_H
#define INTMILL_FORMAT_SECTIONS_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "format/model_generated.h"
#include "ir/graph.h"

namespace intmill::format {

using Section = std::span<const std::byte>;

// Finds every section in `file` and checks its place; CheckSection its checksum.
Result<std::vector<Section>> PlaceSections(std::span<const SectionRow> rows,
                                           std::span<const std::byte> file, int64_t structure_end);
Status CheckSection(size_t i, Section section, uint64_t hash);

// The constants of a graph, equal ones once.
struct SectionTable {
  std::vector<Section> sections;
  std::vector<SectionRow> rows;
  int64_t bytes = 0;                // from the start of the weights to the end of the last section
  std::vector<int32_t> of_values;   // section of each value, -1: not a constant
  std::vector<int32_t> of_tensors;  // of each tensor among the attributes, in the order of writing
};
Result<SectionTable> CollectSections(const Graph& graph);

}  // namespace intmill::format

#endif  // INTMILL_FORMAT_SECTIONS_H
