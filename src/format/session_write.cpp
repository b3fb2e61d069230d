// Writes an .ims file: the model as an .im file, then the session.
#include <algorithm>
#include <array>
#include <vector>

#include "base/checked.h"
#include "base/checksum.h"
#include "base/memory.h"
#include "format/format.h"
#include "format/limits.h"
#include "format/model_generated.h"
#include "format/session_file.h"
#include "format/session_header.h"

namespace intmill {
namespace format {
namespace {

using Bytes = std::span<const std::byte>;

// The rows and pools of a session, filled in the order in which they are read.
class SessionStructure {
 public:
  Result<flatbuffers::DetachedBuffer> Build(const CompiledSession& session) {
    for (const CompiledFact& fact : session.facts) {
      TRY(AddText(fact.name));
      TRY(AddText(fact.value));
    }
    for (const CompiledPlan& plan : session.plans) TRY(AddPlan(plan));
    flatbuffers::FlatBufferBuilder builder;
    const auto plans = builder.CreateVectorOfStructs(plans_);
    const auto kernels = builder.CreateVectorOfStructs(kernels_);
    const auto packed = builder.CreateVectorOfStructs(packed_);
    const auto ranks = builder.CreateVector(ranks_);
    const auto dims = builder.CreateVector(dims_);
    const auto choices = builder.CreateVector(choices_);
    const auto unread = builder.CreateVector(session.unread);
    const auto string_bytes = builder.CreateVector(string_bytes_);
    const auto characters = builder.CreateVector(characters_);
    builder.Finish(CreateCompiled(builder, static_cast<uint32_t>(session.facts.size()), plans,
                                  kernels, packed, ranks, dims, choices, unread, string_bytes,
                                  characters));
    if (builder.GetSize() > static_cast<size_t>(kMaxStructureBytes))
      return Error(Code::kUnsupported, "the structure has ", builder.GetSize(), " bytes, at most ",
                   kMaxStructureBytes, " wanted");
    return builder.Release();
  }

  const std::vector<Bytes>& sections() const { return sections_; }
  int64_t section_bytes() const { return end_; }

 private:
  Status AddText(const std::string& text) {
    if (static_cast<int64_t>(text.size()) > kMaxNameBytes)
      return Error(Code::kUnsupported, "a text has ", text.size(), " bytes, at most ",
                   kMaxNameBytes, " wanted");
    string_bytes_.push_back(static_cast<uint32_t>(text.size()));
    characters_.insert(characters_.end(), text.begin(), text.end());
    return Ok();
  }

  Status AddPlan(const CompiledPlan& plan) {
    plans_.emplace_back(static_cast<uint32_t>(plan.input_shapes.size()),
                        static_cast<uint32_t>(plan.kernels.size()));
    for (const Shape& shape : plan.input_shapes) {
      ranks_.push_back(static_cast<int32_t>(shape.size()));
      dims_.insert(dims_.end(), shape.begin(), shape.end());
    }
    for (const KernelRecord& kernel : plan.kernels) {
      TRY(AddText(kernel.kernel));
      kernels_.emplace_back(static_cast<uint32_t>(kernel.choices.size()),
                            static_cast<uint32_t>(kernel.packed.size()));
      choices_.insert(choices_.end(), kernel.choices.begin(), kernel.choices.end());
      for (const PackedBlob& blob : kernel.packed) TRY(AddSection(blob));
    }
    return Ok();
  }

  Status AddSection(const PackedBlob& blob) {
    const Bytes bytes(blob.data.get(), static_cast<size_t>(blob.bytes));
    int64_t offset = 0;
    if (!AlignUpFits(end_, kAlignment, &offset) || !AddFits(offset, blob.bytes, &end_) ||
        end_ > kMaxFileBytes)
      return Error(Code::kUnsupported, "the packed weights have more than ", kMaxFileBytes,
                   " bytes");
    packed_.emplace_back(static_cast<uint64_t>(offset), bytes.size(), ChecksumOf(bytes));
    sections_.push_back(bytes);
    return Ok();
  }

  std::vector<PlanRow> plans_;
  std::vector<KernelRow> kernels_;
  std::vector<SectionRow> packed_;
  std::vector<Bytes> sections_;
  int64_t end_ = 0;
  std::vector<int32_t> ranks_;
  std::vector<int64_t> dims_;
  std::vector<int64_t> choices_;
  std::vector<uint32_t> string_bytes_;
  std::vector<uint8_t> characters_;
};

Status WriteAll(const Graph& model, Bytes structure, const SessionStructure& session,
                SessionHeader header, const Sink& sink) {
  static constexpr std::array<std::byte, kAlignment> kZeros = {};
  const auto align = [&](uint64_t end) {
    return sink(std::span(kZeros).first(static_cast<size_t>((64 - end % 64) % 64)));
  };
  TRY(sink(EncodeSessionHeader(header)));
  TRY(WriteModel(model, sink));
  TRY(align(header.model_bytes));
  TRY(sink(structure));
  uint64_t end = header.structure_offset() + structure.size();
  for (const Bytes section : session.sections()) {
    TRY(align(end));
    TRY(sink(section));
    end = section.size();  // it began at a multiple of 64
  }
  return Ok();
}

}  // namespace
}  // namespace format

Status WriteSession(const Graph& model, const CompiledSession& compiled, const std::string& path) {
  format::SessionHeader header = {.version = format::kSessionVersion};
  TRY(WriteModel(model, [&](std::span<const std::byte> bytes) {
    header.model_bytes += bytes.size();
    return Ok();
  }));
  format::SessionStructure session;
  ASSIGN_OR_RETURN(const flatbuffers::DetachedBuffer buffer, session.Build(compiled));
  const std::span structure(reinterpret_cast<const std::byte*>(buffer.data()), buffer.size());
  header.structure_bytes = structure.size();
  header.structure_hash = ChecksumOf(structure);
  const uint64_t structure_end = header.structure_offset() + header.structure_bytes;
  header.file_bytes =
      session.sections().empty()
          ? structure_end
          : (structure_end + 63) / 64 * 64 + static_cast<uint64_t>(session.section_bytes());
  return WriteFileAtomically(path, [&](const Sink& sink) {
    return format::WriteAll(model, structure, session, header, sink);
  });
}

}  // namespace intmill
