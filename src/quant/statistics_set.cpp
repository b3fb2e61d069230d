// StatisticsSet: merging, and the .imstat file that docs/statistics.md describes.
#include "quant/statistics_set.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/digest.h"
#include "base/file.h"

namespace intmill {
namespace {

// The byte behind the name stops programs that print the file as text.
constexpr std::array<char, 8> kMagic = {'i', 'm', 's', 't', 'a', 't', '\x1a', '\n'};
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 8 + Digest::kBytes;
constexpr size_t kMostBytes = size_t{1} << 28;
constexpr int64_t kMostSamples = int64_t{1} << 56;
constexpr int64_t kMostValues = 2'000'000;
constexpr int64_t kLongestName = 1024;

// Magic, version, seven zeros; then what it is told apart by when damaged.
std::array<std::byte, kHeaderBytes> Header(std::span<const std::byte> content) {
  std::array<std::byte, kHeaderBytes> header = {};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  header[kMagic.size()] = std::byte{kVersion};
  Digest digest;
  digest.Add(content);
  std::ranges::copy(digest.Get(), header.end() - Digest::kBytes);
  return header;
}

// A copy, as mapped bytes may change between a check and a use.
Result<std::vector<std::byte>> Content(std::span<const std::byte> file) {
  if (file.size() < kHeaderBytes || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
    return Error(Code::kBadFormat, "is not a file of calibration statistics");
  if (file.size() > kMostBytes)
    return Error(Code::kBadFormat, "has ", file.size(), " bytes, at most ", kMostBytes, " wanted");
  const std::vector<std::byte> all(file.begin(), file.end());
  const auto version = std::to_integer<int>(all[kMagic.size()]);
  if (version > int{kVersion})
    return Error(Code::kBadVersion, "has version ", version,
                 ", this release of intmill reads up to ", int{kVersion});
  std::vector<std::byte> content(all.begin() + kHeaderBytes, all.end());
  if (!std::ranges::equal(Header(content), std::span(all).first(kHeaderBytes)))
    return Error(Code::kBadFormat, "is damaged: its checksum differs");
  return content;
}

Result<StatisticsSet> Parse(ByteReader in) {
  StatisticsSet set;
  ASSIGN_OR_RETURN(set.model, in.Text(kLongestName));
  if (set.model.size() != 2 * Digest::kBytes)
    return Error(Code::kBadFormat, "names its model in ", set.model.size(), " digits");
  ASSIGN_OR_RETURN(set.samples, in.Unsigned(kMostSamples));
  ASSIGN_OR_RETURN(const int64_t count, in.Unsigned(kMostValues));
  std::string last;
  for (int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(std::string name, in.Text(kLongestName));
    if (name <= last) return Error(Code::kBadFormat, "the values are not in order");
    ASSIGN_OR_RETURN(ValueStatistics statistics, ValueStatistics::Read(in).At(Cat("value ", i)));
    last = name;
    set.values.emplace_hint(set.values.end(), std::move(name), std::move(statistics));
  }
  if (in.left() > 0)
    return Error(Code::kBadFormat, in.left(), " bytes follow behind the last value");
  return set;
}

}  // namespace

Status StatisticsSet::Merge(const StatisticsSet& other) {
  if (model != other.model)
    return Error(Code::kInvalidArgument, "the statistics are of another model (", other.model,
                 ", wanted ", model, ")");
  if (samples > kMostSamples - other.samples)
    return Error(Code::kInvalidArgument, "the statistics have too many samples to be added");
  for (const auto& [name, statistics] : other.values) {
    const auto mine = values.find(name);
    if (mine == values.end())
      return Error(Code::kInvalidArgument, "the statistics are of a value '", name,
                   "', which the others do not have");
    if (mine->second.count() > kMostSamples - statistics.count() ||
        mine->second.nonfinite() > kMostSamples - statistics.nonfinite())
      return Error(Code::kInvalidArgument, "the statistics of '", name,
                   "' count too many values to be added");
  }
  for (const auto& [name, statistics] : other.values) values.find(name)->second.Merge(statistics);
  samples += other.samples;
  return Ok();
}

Status WriteStatistics(const StatisticsSet& set, const std::string& path) {
  ByteWriter out;
  out.Text(set.model);
  out.Unsigned(static_cast<uint64_t>(set.samples));
  out.Unsigned(set.values.size());
  for (const auto& [name, statistics] : set.values) {
    if (name.empty() || name.size() > static_cast<size_t>(kLongestName))
      return Error(Code::kUnsupported, "the name of a value has ", name.size(), " bytes, 1 to ",
                   kLongestName, " wanted");
    out.Text(name);
    statistics.Write(out);
  }
  const std::array<std::byte, kHeaderBytes> header = Header(out.bytes());
  return WriteFileAtomically(path, [&](const Sink& sink) -> Status {
    TRY(sink(header));
    return sink(out.bytes());
  });
}

Result<StatisticsSet> ReadStatistics(const std::string& path) {
  ASSIGN_OR_RETURN(const BlobPtr file, MapFile(path));
  ASSIGN_OR_RETURN(const std::vector<std::byte> content, Content(file->bytes()).At(path));
  return Parse(ByteReader(content)).At(path);
}

}  // namespace intmill
