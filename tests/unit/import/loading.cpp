// Tests of the front door: what kind a file is, external data, fixed dimensions, metadata.
#include <criterion/criterion.h>
#include <string>
#include <unistd.h>

#include "import/load.h"
#include "import/sniff.h"
#include "support/onnx_writer.h"
#include "unit/temporary_folder.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// y = relu(x), x of batch x channels.
std::string ReluModel(const std::string& first_dim, int64_t opset = 17, int64_t ir_version = 8) {
  return ModelMessage({.ir_version = ir_version,
                       .opset = opset,
                       .nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}}},
                       .inputs = {ValueMessage("x", kOnnxFloat, {{0, first_dim}, {3}})},
                       .outputs = {ValueMessage("y", kOnnxFloat, {{0, first_dim}, {3}})}});
}

// y = x + w with w in another file.
std::string ExternalModel(const std::vector<std::pair<std::string, std::string>>& place) {
  return ModelMessage({.nodes = {{.op = "Add", .inputs = {"x", "w"}, .outputs = {"y"}}},
                       .initializers = {ExternalTensor("w", kOnnxFloat, {2}, place)},
                       .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                       .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}});
}

void ExpectMessage(const Result<Graph>& result, Code code, const std::string& message) {
  cr_assert_not(result.ok());
  cr_expect_eq(result.status().code(), code);
  cr_expect_str_eq(result.status().message().c_str(), message.c_str());
}

const Tensor* ConstantNamed(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name && value.constant) return &*value.constant;
  }
  return nullptr;
}

}  // namespace

Test(loading, a_fixed_dimension_replaces_its_name_everywhere) {
  const Result<Graph> graph =
      LoadModelFromMemory(BlobOf(ReluModel("batch")), {.dims = {{"batch", 8}}});

  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  const Value& x = graph->value(graph->inputs[0]);
  cr_expect_eq(*x.shape, (Shape{8, 3}));
  cr_expect_eq(x.dim_names, (std::vector<std::string>{"", ""}));
  cr_expect_eq(*graph->value(graph->outputs[0]).shape, (Shape{8, 3}));
}

Test(loading, an_unknown_dimension_names_the_known_ones) {
  const Result<Graph> graph = LoadModelFromMemory(BlobOf(ReluModel("N")), {.dims = {{"batch", 8}}});

  ExpectMessage(graph, Code::kInvalidArgument,
                "model in memory: no input has a dimension 'batch'; found: 'N'");
}

Test(loading, a_dimension_of_zero_is_refused) {
  const Result<Graph> graph = LoadModelFromMemory(BlobOf(ReluModel("N")), {.dims = {{"N", 0}}});

  ExpectMessage(graph, Code::kInvalidArgument,
                "model in memory: dimension 'N' fixed to 0, 1 to 2147483647 wanted");
}

Test(loading, the_oldest_and_newest_versions_load) {
  for (const auto& [opset, ir_version] : {std::pair(7, 3), std::pair(22, 13)}) {
    const Result<Graph> graph = LoadModelFromMemory(BlobOf(ReluModel("N", opset, ir_version)), {});
    cr_expect(graph.ok(), "%s", graph.status().message().c_str());
  }
}

Test(loading, metadata_names_the_source_and_its_checksum) {
  const TemporaryFolder folder;
  folder.Write("relu.onnx", ReluModel("N"));

  const Result<Graph> graph = LoadModel(folder / "relu.onnx", {});

  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  cr_expect_eq(graph->metadata.at("source.file"), "relu.onnx");
  cr_expect_eq(graph->metadata.at("source.xxh3").size(), 16);
}

Test(loading, external_data_is_read_from_beside_the_model) {
  const TemporaryFolder folder;
  const float weights[] = {0, 0, 1.5f, -2};
  folder.Write("weights.bin", std::string(reinterpret_cast<const char*>(weights), sizeof(weights)));
  folder.Write("model.onnx",
               ExternalModel({{"location", "weights.bin"}, {"offset", "8"}, {"length", "8"}}));

  const Result<Graph> graph = LoadModel(folder / "model.onnx", {});

  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  const Tensor* const w = ConstantNamed(*graph, "w");
  cr_assert_not_null(w);
  cr_expect_eq(w->data<float>()[0], 1.5f);
  cr_expect_eq(w->data<float>()[1], -2.0f);
}

Test(loading, external_data_through_a_symbolic_link_is_refused) {
  const TemporaryFolder folder;
  folder.Write("real.bin", "12345678");
  cr_assert_eq(symlink("real.bin", (folder / "link.bin").c_str()), 0);
  folder.Write("model.onnx", ExternalModel({{"location", "link.bin"}}));

  cr_expect_not(LoadModel(folder / "model.onnx", {}).ok());
}

Test(loading, external_data_through_a_hard_link_is_refused) {
  const TemporaryFolder folder;
  folder.Write("real.bin", "12345678");
  cr_assert_eq(link((folder / "real.bin").c_str(), (folder / "second.bin").c_str()), 0);
  folder.Write("model.onnx", ExternalModel({{"location", "second.bin"}}));

  cr_expect_not(LoadModel(folder / "model.onnx", {}).ok());
}

Test(loading, a_model_in_memory_has_no_external_data) {
  const Result<Graph> graph =
      LoadModelFromMemory(BlobOf(ExternalModel({{"location", "weights.bin"}})), {});

  ExpectMessage(graph, Code::kUnsupported,
                "model in memory: initializer 'w': external data in file 'weights.bin': a model in "
                "memory has no directory to read it from");
}

Test(loading, at_most_64_external_files_are_opened) {
  const TemporaryFolder folder;
  ModelParts model = {.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}}},
                      .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                      .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}};
  for (int i = 0; i < 65; ++i) {
    const std::string name = Cat("w", i, ".bin");
    folder.Write(name, "12345678");
    model.initializers.push_back(
        ExternalTensor(Cat("w", i), kOnnxFloat, {2}, {{"location", name}}));
  }
  folder.Write("65.onnx", ModelMessage(model));
  model.initializers.pop_back();
  folder.Write("64.onnx", ModelMessage(model));

  cr_expect(LoadModel(folder / "64.onnx", {}).ok());
  ExpectMessage(LoadModel(folder / "65.onnx", {}), Code::kBadFormat,
                (folder / "65.onnx") + ": initializer 'w64': external data in more than 64 files");
}

Test(loading, names_may_have_1024_bytes) {
  const std::string name(1024, 'n');
  const Result<Graph> graph = LoadModelFromMemory(
      BlobOf(
          ModelMessage({.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {name}, .name = name}},
                        .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                        .outputs = {ValueMessage(name, kOnnxFloat, {{2}})}})),
      {});

  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  cr_expect_eq(graph->nodes[0].name, name);
}

Test(loading, a_hundred_thousand_nodes_load_in_linear_time) {
  ModelParts model = {.inputs = {ValueMessage("v0", kOnnxFloat, {{2}})},
                      .outputs = {ValueMessage("v100000", kOnnxFloat, {{2}})}};
  for (int i = 0; i < 100'000; ++i)
    model.nodes.push_back({.op = "Sqrt", .inputs = {Cat("v", i)}, .outputs = {Cat("v", i + 1)}});

  const Result<Graph> graph = LoadModelFromMemory(BlobOf(ModelMessage(model)), {});

  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  cr_expect_eq(graph->nodes.size(), 100'000);
}

Test(loading, a_kind_that_is_asked_for_is_not_sniffed) {
  const Result<Graph> graph =
      LoadModelFromMemory(BlobOf(ReluModel("N")), {.kind = FileKind::kIntmill});

  cr_expect_not(graph.ok());
}

Test(loading, a_missing_file_is_named) {
  const Result<Graph> graph = LoadModel("/no/such/model.onnx", {});

  cr_assert_not(graph.ok());
  cr_expect_eq(graph.status().code(), Code::kIo);
  cr_expect(graph.status().message().starts_with("/no/such/model.onnx: "));
}
