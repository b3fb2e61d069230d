// Compiled sessions: kept in a file, read back by what could be another process, and what happens
// when the file is damaged or was made for something else.
#include <random>
#include <set>

#include "base/checksum.h"
#include "format/header.h"
#include "format/session_file.h"
#include "format/session_header.h"
#include "session/session.h"
#include "unit/quant/runs.h"
#include "unit/temporary_folder.h"

namespace {

using namespace intmill;
using namespace intmill::test;

constexpr int64_t kChannels = 32;

ValueId Convolve(GraphMaker& m, ValueId x, const char* name, Shape weights, int64_t groups) {
  const ValueId w = m.Random(Cat(name, "_w"), weights, 3);
  const ValueId b = m.Random(Cat(name, "_b"), {weights[0]}, 4);
  const ValueId y = m.graph.AddValue(name);
  Attributes& attrs = m.graph.AddNode(name, FindOp("Conv"), {x, w, b}, {y}).attrs;
  attrs.Set("group", groups);
  if (weights[2] == 3) attrs.Set("pads", std::vector<int64_t>{1, 1, 1, 1});
  cr_assert(InferNode(m.graph, m.graph.nodes.back()).ok());
  return y;
}

// 8-bit convolutions of all kinds, an 8-bit and a weight-only product, and a float one.
Graph SmallNetwork(int64_t batch) {
  GraphMaker m;
  const ValueId x = m.Input("x", {batch, 16, 9, 9});
  if (batch == kDynamic) m.graph.value(x).dim_names = {"batch", "", "", ""};
  ValueId y = m.Node("Relu", {Convolve(m, x, "dense", {kChannels, 16, 3, 3}, 1)}, "relu");
  y = Convolve(m, y, "depthwise", {kChannels, 1, 3, 3}, kChannels);
  y = Convolve(m, y, "pointwise", {kChannels, kChannels, 1, 1}, 1);
  y = m.Node("Flatten", {m.Node("GlobalAveragePool", {y}, "pool")}, "flat");
  y = m.Node("MatMul", {y, m.Random("bytes_w", {kChannels, 48}, 5)}, "bytes");
  y = m.Node("MatMul", {y, m.Random("blocks_w", {48, 64}, 6)}, "blocks");
  m.Output(m.Node("MatMul", {y, m.Random("floats_w", {64, 10}, 7)}, "floats"));
  SchemeTable schemes;
  schemes.Add("blocks", [](LayerScheme& s) { s.scheme = Scheme::kWeightOnly; });
  schemes.Add("floats", [](LayerScheme& s) { s.skip = true; });
  return QuantizeOn(m.graph, NormalTensor({2, 16, 9, 9}, 1), schemes);
}

std::shared_ptr<const Graph> Share(Graph graph) {
  return std::make_shared<const Graph>(std::move(graph));
}

std::vector<float> Run(const Session& session, int64_t batch = 2) {
  const Tensor x = NormalTensor({batch, 16, 9, 9}, 2);
  std::vector<Tensor> outputs(1);
  const Status status = session.Run({&x, 1}, outputs);
  cr_assert(status.ok(), "%s", status.message().c_str());
  return Must(ToFloats(outputs[0]));
}

std::vector<std::string> Kernels(const Session& session) {
  const Table profile = session.Profile();
  std::vector<std::string> names;
  for (const auto& row : profile.rows) names.push_back(std::get<std::string>(row[2]));
  return names;
}

BlobPtr InMemory(const std::string& bytes) {
  auto memory = std::make_shared<AlignedBytes>(
      *AllocateAligned(std::max<int64_t>(1, static_cast<int64_t>(bytes.size()))));
  std::memcpy(memory->get(), bytes.data(), bytes.size());
  return std::make_shared<const Blob>(std::span<const std::byte>(memory->get(), bytes.size()),
                                      [memory] {});
}

// A session's file, read again.
class Kept {
 public:
  explicit Kept(const Session& session) {
    const CompiledSession compiled = Must(session.Compiled());
    const Status status = WriteSession(session.graph(), compiled, folder_ / "a.ims");
    cr_assert(status.ok(), "%s", status.message().c_str());
    bytes = folder_.Read("a.ims");
    file = Must(ReadSession(Must(MapFile(folder_ / "a.ims"))));
  }

  Result<std::shared_ptr<const Session>> Open(SessionOptions options = {.threads = 1}) const {
    options.compiled = file.compiled;
    options.check_weights = file.check_weights;
    return Session::Create(Share(file.model), options);
  }
  // With changes.
  CompiledSession Copy() const { return *file.compiled; }
  void Put(CompiledSession compiled) {
    file.compiled = std::make_shared<const CompiledSession>(std::move(compiled));
  }

  SessionFile file;
  std::string bytes;

 private:
  TemporaryFolder folder_;
};

std::shared_ptr<const Session> Static(int64_t threads = 1) {
  return Must(Session::Create(Share(SmallNetwork(2)), {.threads = threads}));
}

void ExpectRefused(const Status& status, Code code, const std::string& part) {
  cr_expect_eq(status.code(), code, "%s", status.message().c_str());
  cr_expect_neq(status.message().find(part), std::string::npos, "%s", status.message().c_str());
}

// Whoever changes a file can compute its checksums anew.
std::string Resealed(std::string bytes) {
  Result<format::SessionHeader> header =
      format::DecodeSessionHeader(std::as_bytes(std::span(bytes)));
  cr_assert(header.ok());
  header->structure_hash = ChecksumOf(
      std::as_bytes(std::span(bytes)).subspan(header->structure_offset(), header->structure_bytes));
  const auto encoded = format::EncodeSessionHeader(*header);
  std::memcpy(bytes.data(), encoded.data(), encoded.size());
  return bytes;
}

}  // namespace

Test(compiled, gives_the_same_bits_with_the_same_kernels) {
  const auto plain = Static();
  const Kept kept(*plain);
  const auto session = Must(kept.Open());
  cr_expect(Run(*session) == Run(*plain));
  cr_expect(Kernels(*session) == Kernels(*plain));
}

Test(compiled, reads_its_packed_weights_from_the_file_and_no_others) {
  const Kept kept(*Static());
  std::set<std::string> unread;
  for (const ValueId id : kept.file.compiled->unread) unread.insert(kept.file.model.value(id).name);
  cr_expect_geq(unread.size(), 4);
  for (const KernelRecord& record : kept.file.compiled->plans[0].kernels)
    for (const PackedBlob& blob : record.packed)
      cr_expect_eq(reinterpret_cast<uintptr_t>(blob.data.get()) % 64, 0);
  int64_t mapped = 0;
  for (const auto& row : Must(kept.Open())->Memory().rows)
    if (std::get<std::string>(row[0]).starts_with("packed")) mapped += std::get<int64_t>(row[2]);
  cr_expect_gt(mapped, 0);
}

Test(compiled, of_another_machine_or_build_is_refused_by_name_or_rebuilt) {
  const auto plain = Static();
  Kept kept(*plain);
  const CompiledSession right = kept.Copy();
  for (const char* fact : {"cpu", "onednn", "intmill", "instructions"}) {
    CompiledSession foreign = right;
    for (CompiledFact& f : foreign.facts)
      if (f.name == fact) f.value = "another";
    kept.Put(foreign);
    ExpectRefused(kept.Open().status(), Code::kBadVersion,
                  Cat("compiled for ", fact, " 'another', wanted '"));
    cr_expect(Run(*Must(kept.Open({.threads = 1, .rebuild_stale = true}))) == Run(*plain));
  }
}

Test(compiled, for_another_number_of_threads_or_other_passes_is_refused) {
  const Kept kept(*Static());
  ExpectRefused(kept.Open({.threads = 2}).status(), Code::kBadVersion,
                "compiled for threads '1', wanted '2'");
  ExpectRefused(kept.Open({.threads = 1, .passes = {.disabled = {"fold_qdq"}}}).status(),
                Code::kBadVersion, "passes left out 'none', wanted 'fold_qdq'");
}

Test(compiled, that_does_not_fit_its_model_is_refused_or_rebuilt) {
  const auto plain = Static();
  Kept kept(*plain);
  const CompiledSession right = kept.Copy();
  const auto try_changed = [&](const char* part, auto&& change) {
    CompiledSession wrong = right;
    change(wrong.plans[0].kernels);
    kept.Put(wrong);
    ExpectRefused(kept.Open().status(), Code::kBadFormat, part);
    cr_expect(Run(*Must(kept.Open({.threads = 1, .rebuild_stale = true}))) == Run(*plain));
  };
  try_changed("no packed weights of", [](auto& kernels) {
    for (KernelRecord& record : kernels)
      for (PackedBlob& blob : record.packed) blob.bytes -= 64;
  });
  try_changed("was compiled as 'other'", [](auto& kernels) { kernels[0].kernel = "other"; });
  try_changed("kernels", [](auto& kernels) { kernels.emplace_back(); });
  try_changed("nothing was compiled", [](auto& kernels) { kernels.pop_back(); });
}

Test(compiled, with_free_sizes_serves_those_it_ran_with_and_others) {
  const auto plain = Must(Session::Create(Share(SmallNetwork(kDynamic)), {.threads = 1}));
  ExpectRefused(plain->Compiled().status(), Code::kState, "no plan yet");
  Run(*plain, 1);
  Run(*plain, 2);
  const Kept kept(*plain);
  cr_expect_eq(kept.file.compiled->plans.size(), 2);
  const auto session = Must(kept.Open());
  for (const int64_t batch : {1, 2, 5}) cr_expect(Run(*session, batch) == Run(*plain, batch));
}

Test(compiled, can_be_kept_again_with_equal_bytes) {
  const Kept kept(*Static());
  const Kept again(*Must(kept.Open()));
  cr_expect(again.bytes == kept.bytes);
}

Test(compiled, cut_off_anywhere_is_refused) {
  const Kept kept(*Static());
  for (size_t bytes = 0; bytes < kept.bytes.size(); bytes += 1 + bytes / 50) {
    const Status status = ReadSession(InMemory(kept.bytes.substr(0, bytes))).status();
    cr_assert_eq(status.code(), Code::kBadFormat, "%zu bytes", bytes);
  }
}

// But in weights that it does not read, which are looked at when somebody does.
Test(compiled, no_changed_byte_goes_unnoticed) {
  const Kept kept(*Static());
  std::mt19937 random(3);
  int64_t late = 0;
  for (int64_t i = 0; i < 400; ++i) {
    std::string changed = kept.bytes;
    const size_t at = i < 128 ? static_cast<size_t>(i) : random() % changed.size();
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const Result<SessionFile> read = ReadSession(InMemory(changed));
    if (!read.ok()) continue;
    ++late;
    cr_expect_eq(read->check_weights().code(), Code::kBadFormat, "byte %zu", at);
  }
  cr_expect_gt(late, 0);
}

Test(compiled, changes_with_valid_checksums_never_crash) {
  const Kept kept(*Static());
  const auto header = *format::DecodeSessionHeader(std::as_bytes(std::span(kept.bytes)));
  std::mt19937 random(7);
  for (int64_t i = 0; i < 400; ++i) {
    std::string changed = kept.bytes;
    const size_t at = header.structure_offset() + random() % header.structure_bytes;
    changed[at] = static_cast<char>(random());
    const Result<SessionFile> read = ReadSession(InMemory(Resealed(changed)));
    if (!read.ok()) {
      cr_expect_not(read.status().message().empty());
      continue;
    }
    SessionOptions options = {.threads = 1};
    options.compiled = read->compiled;
    options.check_weights = read->check_weights;
    const auto session = Session::Create(Share(read->model), options);
    if (session.ok()) Run(**session);
  }
}

Test(compiled, a_newer_format_is_named_with_both_versions) {
  std::string bytes = Kept(*Static()).bytes;
  bytes[8] = 7;
  ExpectRefused(ReadSession(InMemory(bytes)).status(), Code::kBadVersion,
                "format version 7, this release of intmill reads up to 1");
}
