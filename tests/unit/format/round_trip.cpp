// Tests that what is written is read back, and how files are laid out.
#include <criterion/criterion.h>

#include "format/session_file.h"
#include "ir/infer.h"
#include "ir/print.h"
#include "unit/format/model.h"
#include "unit/temporary_folder.h"

using namespace intmill;

Test(format, everything_survives_saving_and_loading) {
  Graph graph = SmallModel();
  cr_assert(InferShapes(graph).ok());
  const Result<Graph> read = ReadBytes(Written(graph));
  cr_assert(read.ok(), "%s", read.status().message().c_str());
  cr_expect(Print(*read) == Print(graph));
  cr_expect(read->metadata == graph.metadata);
  cr_expect(read->value(read->inputs[0]).dim_names == std::vector<std::string>({"batch", ""}));
}

Test(format, attributes_of_every_kind_survive) {
  const Result<Graph> read = ReadBytes(Written(SmallModel()));
  cr_assert(read.ok());
  const Attributes& attrs = read->nodes[1].attrs;
  cr_expect_eq(attrs.all().size(), 7);
  cr_expect_eq(std::get<int64_t>(*attrs.Find("an_int")), -5);
  cr_expect_eq(std::get<float>(*attrs.Find("a_float")), 0.1f);
  cr_expect_str_eq(std::get<std::string>(*attrs.Find("a_string")).c_str(), "text");
  cr_expect(std::get<std::vector<int64_t>>(*attrs.Find("ints")) ==
            std::vector<int64_t>({1, INT64_MAX}));
  cr_expect(std::get<std::vector<float>>(*attrs.Find("floats")).empty());
  cr_expect(std::get<std::vector<std::string>>(*attrs.Find("strings")) ==
            std::vector<std::string>({"", "two"}));
  cr_expect_eq(std::get<Tensor>(*attrs.Find("tensor")).values<float>()[3], 4.0f);
}

Test(format, a_second_saving_gives_the_same_bytes) {
  const std::string first = Written(SmallModel());
  Result<Graph> read = ReadBytes(first);
  cr_assert(read.ok());
  const std::string second = Written(*read);
  Result<Graph> again = ReadBytes(second);
  cr_assert(again.ok());
  cr_expect(Written(*again) == second);
  cr_expect(Written(SmallModel()) == first);
}

Test(format, equal_constants_are_stored_once) {
  const float numbers[256] = {1};
  const auto with_constants = [&](int64_t copies) {
    Graph graph = SmallModel();
    for (int64_t i = 0; i < copies; ++i)
      graph.AddConstant("big", *Tensor::Of(std::span<const float>(numbers)));
    return Written(graph).size();
  };
  cr_expect_geq(with_constants(1), with_constants(0) + sizeof(numbers));
  cr_expect_lt(with_constants(2), with_constants(1) + 128);
}

Test(format, weights_stay_in_the_file_at_multiples_of_64) {
  const BlobPtr file = InMemory(Written(SmallModel()));
  const Result<Graph> read = ReadModel(file);
  cr_assert(read.ok());
  const auto* weights = read->ConstantOf(1)->data<std::byte>();
  cr_expect_geq(weights, file->bytes().data());
  cr_expect_lt(weights, file->bytes().data() + file->bytes().size());
  cr_expect_eq(reinterpret_cast<uintptr_t>(weights) % 64, 0);
}

Test(format, weights_outlive_the_handle_of_the_file) {
  Result<Graph> read = ReadBytes(Written(SmallModel()));
  cr_assert(read.ok());
  cr_expect_eq(read->ConstantOf(1)->values<float>()[2], 3.0f);
}

Test(format, unaligned_memory_is_copied) {
  const Result<Graph> read = ReadModel(InMemory(Written(SmallModel()), 1));
  cr_assert(read.ok(), "%s", read.status().message().c_str());
  cr_expect_eq(reinterpret_cast<uintptr_t>(read->ConstantOf(1)->data<std::byte>()) % 64, 0);
}

Test(format, files_are_saved_and_mapped) {
  TemporaryFolder folder;
  cr_assert(WriteModel(SmallModel(), folder / "small.im").ok());
  Result<BlobPtr> file = MapFile(folder / "small.im");
  cr_assert(file.ok());
  cr_expect(LooksLikeIntmill((*file)->bytes()));
  cr_expect(ReadModel(*file).ok());
}

Test(format, a_failing_sink_stops_writing) {
  const Status status = WriteModel(
      SmallModel(), [](std::span<const std::byte>) { return Error(Code::kIo, "disk full"); });
  cr_expect(status.message() == "disk full");
}

Test(format, compiled_graphs_are_not_saved) {
  Graph graph = SmallModel();
  graph.nodes[0].post_ops.push_back({.kind = PostOp::Kind::kRelu});
  cr_expect(Written(graph) ==
            "error: node 'add' (Add): has fused operators, and compiled graphs are not "
            "saved");
}

Test(format, names_beyond_the_limit_are_refused_when_writing) {
  Graph graph = SmallModel();
  graph.nodes[0].name.assign(1024, 'n');
  cr_expect(ReadBytes(Written(graph)).ok());
  graph.nodes[0].name.assign(1025, 'n');
  cr_expect(Written(graph).starts_with("error: "));
}

Test(format, a_session_whose_kernels_chose_nothing_is_read_wherever_its_texts_end) {
  TemporaryFolder folder;
  const std::string path = folder / "small.ims";
  for (size_t length = 1; length <= 8; ++length) {
    const CompiledSession session = {.facts = {{"fact", std::string(length, 'x')}}};
    cr_assert(WriteSession(SmallModel(), session, path).ok());
    Result<BlobPtr> file = MapFile(path);
    cr_assert(file.ok());
    const Result<SessionFile> read = ReadSession(*file);
    cr_expect(read.ok(), "%zu: %s", length, read.status().message().c_str());
  }
}
