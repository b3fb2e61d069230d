// Reads an .ims file: nothing in it is believed before it was checked.
#include <algorithm>

#include "format/limits.h"
#include "format/pools.h"
#include "format/read.h"
#include "format/sections.h"
#include "format/session_file.h"
#include "format/session_header.h"

namespace intmill {
namespace format {
namespace {

constexpr uint32_t kMaxFacts = 256;
constexpr uint32_t kMaxPlans = 256;

// Turns the rows of a session's structure into what they say.
class SessionReader {
 public:
  SessionReader(const Compiled& rows, const BlobPtr& file, std::vector<Section> packed)
      : rows_(rows),
        file_(file),
        packed_(std::move(packed)),
        kernels_("kernels", rows.kernels()),
        ranks_("ranks", rows.ranks()),
        dims_("dimensions", rows.dims()),
        choices_("choices", rows.choices()),
        string_bytes_("strings", rows.string_bytes()),
        characters_("characters", rows.characters()) {}

  Result<CompiledSession> Read() {
    TRY(ReadFacts());
    ASSIGN_OR_RETURN(const std::span<const PlanRow> plans,
                     Pool<PlanRow>("plans", rows_.plans()).TakeAll());
    if (plans.size() > kMaxPlans)
      return Error(Code::kBadFormat, plans.size(), " plans, at most ", kMaxPlans, " wanted");
    for (const PlanRow& row : plans) TRY(ReadPlan(row));
    ASSIGN_OR_RETURN(const std::span<const int32_t> unread,
                     Pool<int32_t>("unread values", rows_.unread()).TakeAll());
    session_.unread.assign(unread.begin(), unread.end());
    if (std::ranges::adjacent_find(unread, std::greater_equal()) != unread.end())
      return Error(Code::kBadFormat, "the unread values do not ascend");
    TRY(CheckEmpty());
    return std::move(session_);
  }

 private:
  Result<std::string> Text() {
    ASSIGN_OR_RETURN(const std::span<const uint32_t> bytes, string_bytes_.Take(1));
    if (static_cast<int64_t>(bytes[0]) > kMaxNameBytes)
      return Error(Code::kBadFormat, "a text has ", bytes[0], " bytes, at most ", kMaxNameBytes,
                   " wanted");
    ASSIGN_OR_RETURN(const std::span<const uint8_t> text, characters_.Take(bytes[0]));
    return std::string(text.begin(), text.end());
  }

  Status ReadFacts() {
    if (rows_.facts() > kMaxFacts)
      return Error(Code::kBadFormat, rows_.facts(), " facts, at most ", kMaxFacts, " wanted");
    for (uint32_t i = 0; i < rows_.facts(); ++i) {
      CompiledFact fact;
      ASSIGN_OR_RETURN(fact.name, Text());
      ASSIGN_OR_RETURN(fact.value, Text());
      session_.facts.push_back(std::move(fact));
    }
    return Ok();
  }

  Status ReadPlan(const PlanRow& row) {
    CompiledPlan plan;
    ASSIGN_OR_RETURN(const std::span<const int32_t> ranks, ranks_.Take(row.inputs()));
    for (const int32_t rank : ranks) {
      if (rank < 0 || rank > kMaxRank)
        return Error(Code::kBadFormat, "rank ", rank, ", 0 to ", kMaxRank, " wanted");
      ASSIGN_OR_RETURN(const std::span<const int64_t> dims, dims_.Take(rank));
      plan.input_shapes.emplace_back(dims.begin(), dims.end());
    }
    ASSIGN_OR_RETURN(const std::span<const KernelRow> kernels, kernels_.Take(row.kernels()));
    for (const KernelRow& kernel : kernels) {
      ASSIGN_OR_RETURN(KernelRecord record, ReadKernel(kernel));
      plan.kernels.push_back(std::move(record));
    }
    session_.plans.push_back(std::move(plan));
    return Ok();
  }

  Result<KernelRecord> ReadKernel(const KernelRow& row) {
    KernelRecord record;
    ASSIGN_OR_RETURN(record.kernel, Text());
    ASSIGN_OR_RETURN(const std::span<const int64_t> choices, choices_.Take(row.choices()));
    record.choices.assign(choices.begin(), choices.end());
    if (row.packed() > packed_.size() - packed_taken_)
      return Error(Code::kBadFormat, row.packed(), " packed sections wanted, ",
                   packed_.size() - packed_taken_, " are left");
    for (uint32_t i = 0; i < row.packed(); ++i) {
      const Section section = packed_[packed_taken_++];
      record.packed.push_back({.data = SharedBytes(file_, section.data()),
                               .bytes = static_cast<int64_t>(section.size())});
    }
    return record;
  }

  Status CheckEmpty() const {
    if (packed_taken_ != packed_.size())
      return Error(Code::kBadFormat, packed_.size() - packed_taken_,
                   " packed sections belong to nothing");
    TRY(kernels_.CheckEmpty());
    TRY(ranks_.CheckEmpty());
    TRY(dims_.CheckEmpty());
    TRY(choices_.CheckEmpty());
    TRY(string_bytes_.CheckEmpty());
    return characters_.CheckEmpty();
  }

  const Compiled& rows_;
  const BlobPtr& file_;
  std::vector<Section> packed_;
  size_t packed_taken_ = 0;
  Pool<KernelRow> kernels_;
  Pool<int32_t> ranks_;
  Pool<int64_t> dims_;
  Pool<int64_t> choices_;
  Pool<uint32_t> string_bytes_;
  Pool<uint8_t> characters_;
  CompiledSession session_;
};

Result<CompiledSession> ReadCompiled(const SessionHeader& header, const BlobPtr& file) {
  ASSIGN_OR_RETURN(
      const AlignedBytes structure,
      CopyStructure(file->bytes().subspan(header.structure_offset(), header.structure_bytes),
                    header.structure_hash));
  const auto* const data = reinterpret_cast<const uint8_t*>(structure.get());
  flatbuffers::Verifier verifier(data, header.structure_bytes, /*max_depth=*/8, /*max_tables=*/8);
  if (!verifier.VerifyBuffer<Compiled>(nullptr))
    return Error(Code::kBadFormat, "the structure is not a valid FlatBuffer");
  const Compiled& rows = *flatbuffers::GetRoot<Compiled>(data);
  ASSIGN_OR_RETURN(const std::span<const SectionRow> packed,
                   Pool<SectionRow>("packed sections", rows.packed()).TakeAll());
  const auto structure_end =
      static_cast<int64_t>(header.structure_offset() + header.structure_bytes);
  ASSIGN_OR_RETURN(std::vector<Section> sections,
                   PlaceSections(packed, file->bytes(), structure_end));
  for (size_t i = 0; i < sections.size(); ++i)
    TRY(CheckSection(i, sections[i], packed[i].hash()).At("packed weights"));
  return SessionReader(rows, file, std::move(sections)).Read();
}

}  // namespace
}  // namespace format

bool LooksLikeSession(std::span<const std::byte> bytes) { return format::HasSessionMagic(bytes); }

Result<SessionFile> ReadSession(BlobPtr file) {
  ASSIGN_OR_RETURN(const format::SessionHeader header, format::DecodeSessionHeader(file->bytes()));
  ASSIGN_OR_RETURN(file, format::Aligned(std::move(file)));
  const size_t model_end = format::kHeaderBytes + header.model_bytes;
  const auto gap = file->bytes().subspan(model_end, header.structure_offset() - model_end);
  if (std::ranges::any_of(gap, [](std::byte b) { return b != std::byte{0}; }))
    return Error(Code::kBadFormat, "the bytes behind the model are not zero");
  ASSIGN_OR_RETURN(CompiledSession compiled, format::ReadCompiled(header, file).At("the session"));
  const auto bytes = file->bytes().subspan(format::kHeaderBytes, header.model_bytes);
  const BlobPtr model = std::make_shared<const Blob>(bytes, [file] {});
  ASSIGN_OR_RETURN(format::PartlyRead read, format::ReadPartly(model, compiled.unread));
  return SessionFile{.model = std::move(read.graph),
                     .compiled = std::make_shared<const CompiledSession>(std::move(compiled)),
                     .check_weights = std::move(read.check_rest)};
}

}  // namespace intmill
