// Laying sections of weights out, and finding them again.
#include "format/sections.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "format/header.h"
#include "format/limits.h"
#include "format/pools.h"

namespace intmill::format {
namespace {

bool AllZero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

class Collector {
 public:
  explicit Collector(SectionTable& table) : table_(table) {}

  Result<int32_t> Add(const Tensor& tensor) {
    const Section section(tensor.data<std::byte>(), static_cast<size_t>(tensor.bytes()));
    const uint64_t hash = ChecksumOf(section);
    auto [first, last] = known_.equal_range({hash, section.size()});
    for (; first != last; ++first)
      if (std::ranges::equal(table_.sections[static_cast<size_t>(first->second)], section))
        return first->second;
    const auto index = static_cast<int32_t>(table_.sections.size());
    int64_t offset = 0;
    if (!AlignUpFits(table_.bytes, kAlignment, &offset) ||
        !AddFits(offset, tensor.bytes(), &table_.bytes) || table_.bytes > kMaxFileBytes)
      return Error(Code::kUnsupported, "the constants have more than ", kMaxFileBytes, " bytes");
    if (index >= kMaxTensors)
      return Error(Code::kUnsupported, "more than ", kMaxTensors, " constants");
    table_.sections.push_back(section);
    table_.rows.emplace_back(static_cast<uint64_t>(offset), section.size(), hash);
    known_.emplace(std::pair(hash, section.size()), index);
    return index;
  }

 private:
  SectionTable& table_;
  std::multimap<std::pair<uint64_t, size_t>, int32_t> known_;
};

}  // namespace

Result<std::vector<Section>> PlaceSections(std::span<const SectionRow> rows,
                                           std::span<const std::byte> file, int64_t structure_end) {
  if (static_cast<int64_t>(rows.size()) > kMaxTensors)
    return Error(Code::kBadFormat, rows.size(), " sections, at most ", kMaxTensors, " wanted");
  const auto file_bytes = static_cast<int64_t>(file.size());
  int64_t weights = 0;
  if (!AlignUpFits(structure_end, kAlignment, &weights))
    return Error(Code::kBadFormat, "the structure ends at ", structure_end);

  // One after the other with zeros between, up to the end of the file: so sections cannot overlap,
  // and no byte of the file is without a check.
  std::vector<Section> sections;
  int64_t end = structure_end;
  for (size_t i = 0; i < rows.size(); ++i) {
    int64_t begin = 0;
    const bool fits = AlignUpFits(end, kAlignment, &begin) && begin <= file_bytes &&
                      rows[i].bytes() <= static_cast<uint64_t>(file_bytes - begin);
    if (!fits || rows[i].offset() != static_cast<uint64_t>(begin - weights)) {
      return Error(Code::kBadFormat, "section ", i, " lies at ", rows[i].offset(), " with ",
                   rows[i].bytes(), " bytes, where it does not belong");
    }
    sections.push_back(file.subspan(static_cast<size_t>(begin), rows[i].bytes()));
    if (!AllZero(file.subspan(static_cast<size_t>(end), static_cast<size_t>(begin - end))))
      return Error(Code::kBadFormat, "the bytes before section ", i, " are not zero");
    end = begin + static_cast<int64_t>(rows[i].bytes());
  }
  if (end != file_bytes) {
    return Error(Code::kBadFormat, "the file has ", file_bytes, " bytes, its sections end at ",
                 end);
  }
  return sections;
}

Status CheckSection(size_t i, Section section, uint64_t hash) {
  if (ChecksumOf(section) == hash) return Ok();
  return Error(Code::kBadFormat, "section ", i, " is damaged: its checksum differs");
}

Result<SectionTable> CollectSections(const Graph& graph) {
  SectionTable table;
  Collector collector(table);
  for (const Value& value : graph.values) {
    int32_t section = -1;
    if (value.constant) {
      ASSIGN_OR_RETURN(section, collector.Add(*value.constant));
    }
    table.of_values.push_back(section);
  }
  for (const Node& node : graph.nodes) {
    for (const auto& [name, attribute] : node.attrs.all()) {
      const Tensor* const tensor = std::get_if<Tensor>(&attribute);
      if (tensor == nullptr) continue;
      ASSIGN_OR_RETURN(const int32_t section, collector.Add(*tensor));
      table.of_tensors.push_back(section);
    }
  }
  return table;
}

}  // namespace intmill::format
