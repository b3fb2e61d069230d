// Tests of reading ONNX: what ends up in the graph.
#include <criterion/criterion.h>
#include <cstring>
#include <string>

#include "import/onnx/onnx.h"
#include "ir/op.h"
#include "support/onnx_writer.h"

using namespace intmill;
using namespace intmill::test;

namespace {

Graph Read(const std::string& bytes, size_t misalignment = 0) {
  Result<Graph> graph = ReadOnnx(BlobOf(bytes, misalignment), "");
  cr_assert(graph.ok(), "%s", graph.status().message().c_str());
  return *std::move(graph);
}

ModelParts ReluModel() {
  return {.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}, .name = "relu"}},
          .inputs = {ValueMessage("x", kOnnxFloat, {{2}, {3}})},
          .outputs = {ValueMessage("y", kOnnxFloat, {{2}, {3}})}};
}

// x + w, where w is the initializer.
ModelParts AddModel(const std::string& initializer, int32_t type = kOnnxFloat) {
  return {.nodes = {{.op = "Add", .inputs = {"x", "w"}, .outputs = {"y"}}},
          .initializers = {initializer},
          .inputs = {ValueMessage("x", type, {{2}, {2}})},
          .outputs = {ValueMessage("y", type, {{2}, {2}})}};
}

const Value& ValueNamed(const Graph& graph, const std::string& name) {
  for (const Value& value : graph.values) {
    if (value.name == name) return value;
  }
  cr_assert_fail("no value '%s'", name.c_str());
  return graph.values[0];
}

const Tensor& ConstantNamed(const Graph& graph, const std::string& name) {
  const Value& value = ValueNamed(graph, name);
  cr_assert(value.constant.has_value(), "'%s' is not a constant", name.c_str());
  return *value.constant;
}

}  // namespace

Test(reading_onnx, a_node_has_its_operator_name_and_values) {
  const Graph graph = Read(ModelMessage(ReluModel()));

  cr_assert_eq(graph.nodes.size(), 1);
  const Node& node = graph.nodes[0];
  cr_expect_eq(node.op, FindOp("Relu"));
  cr_expect_eq(node.name, "relu");
  cr_expect_eq(graph.value(node.inputs[0]).name, "x");
  cr_expect_eq(graph.value(node.outputs[0]).name, "y");
  cr_assert_eq(graph.inputs.size(), 1);
  cr_assert_eq(graph.outputs.size(), 1);
  cr_expect_eq(graph.value(graph.inputs[0]).dtype, DType::kF32);
  cr_expect_eq(*graph.value(graph.inputs[0]).shape, (Shape{2, 3}));
}

Test(reading_onnx, raw_data_that_is_aligned_stays_in_the_file) {
  const std::string bytes = ModelMessage(AddModel(FloatTensor("w", {2, 2}, {1, 2, 3, 4})));
  const std::string data = RawBytes(std::vector<float>{1, 2, 3, 4});
  const size_t misalignment = (4 - bytes.find(data) % 4) % 4;
  const BlobPtr file = BlobOf(bytes, misalignment);

  const Result<Graph> graph = ReadOnnx(file, "");

  cr_assert(graph.ok());
  const Tensor& w = ConstantNamed(*graph, "w");
  cr_expect_eq(w.data<std::byte>(), file->bytes().data() + bytes.find(data));
  cr_expect_eq(w.data<float>()[3], 4.0f);
}

Test(reading_onnx, raw_data_that_is_not_aligned_is_copied) {
  const std::string bytes = ModelMessage(AddModel(FloatTensor("w", {2, 2}, {1, 2, 3, 4})));
  const std::string data = RawBytes(std::vector<float>{1, 2, 3, 4});
  const size_t misalignment = (4 - bytes.find(data) % 4) % 4 + 1;
  const BlobPtr file = BlobOf(bytes, misalignment);

  const Result<Graph> graph = ReadOnnx(file, "");

  cr_assert(graph.ok());
  const Tensor& w = ConstantNamed(*graph, "w");
  cr_expect_neq(w.data<std::byte>(), file->bytes().data() + bytes.find(data));
  cr_expect_eq(reinterpret_cast<uintptr_t>(w.data<float>()) % 64, 0);
  cr_expect_eq(w.data<float>()[3], 4.0f);
}

Test(reading_onnx, constants_keep_the_file_alive) {
  Graph graph;
  {
    const std::string bytes = ModelMessage(AddModel(FloatTensor("w", {2, 2}, {1, 2, 3, 4})));
    graph = Read(bytes);
  }
  cr_expect_eq(ConstantNamed(graph, "w").data<float>()[0], 1.0f);
}

Test(reading_onnx, float_data_is_read_packed_and_unpacked) {
  const std::vector<float> values = {1, -2, 3, 4.5f};
  const std::string head = TensorHead("w", kOnnxFloat, {2, 2});
  const std::string packed =
      head + Message([&](auto& w) { w.add_packed_float(4, values.begin(), values.end()); });
  const std::string unpacked = head + Message([&](auto& w) {
                                 for (const float value : values) w.add_float(4, value);
                               });

  const Graph from_packed = Read(ModelMessage(AddModel(packed)));
  const Graph from_unpacked = Read(ModelMessage(AddModel(unpacked)));

  for (const Graph* const graph : {&from_packed, &from_unpacked}) {
    const Tensor& w = ConstantNamed(*graph, "w");
    cr_expect_eq(std::memcmp(w.data<float>(), values.data(), 16), 0);
  }
}

Test(reading_onnx, int32_data_holds_small_integers) {
  const Graph graph = Read(ModelMessage(
      AddModel(Int32DataTensor("w", kOnnxInt8, {2, 2}, {-128, -1, 0, 127}), kOnnxInt8)));

  const Tensor& w = ConstantNamed(graph, "w");
  cr_assert_eq(w.dtype(), DType::kS8);
  const std::vector<int8_t> wanted = {-128, -1, 0, 127};
  cr_expect_eq(std::memcmp(w.data<int8_t>(), wanted.data(), 4), 0);
}

Test(reading_onnx, int32_data_holds_the_bits_of_half_floats) {
  const Graph graph = Read(ModelMessage(
      AddModel(Int32DataTensor("w", kOnnxFloat16, {2, 2}, {0x3c00, 0, 0xbc00, 0x7bff}))));

  const Tensor& w = ConstantNamed(graph, "w");
  cr_assert_eq(w.dtype(), DType::kF16);
  const std::vector<uint16_t> wanted = {0x3c00, 0, 0xbc00, 0x7bff};
  cr_expect_eq(std::memcmp(w.data<std::byte>(), wanted.data(), 8), 0);
}

Test(reading_onnx, int4_values_come_two_to_a_byte) {
  const Graph graph =
      Read(ModelMessage(AddModel(Int32DataTensor("w", kOnnxInt4, {3}, {0x21, 0x03}))));

  const Tensor& w = ConstantNamed(graph, "w");
  cr_assert_eq(w.dtype(), DType::kS4);
  cr_assert_eq(w.bytes(), 2);
  cr_expect_eq(std::memcmp(w.data<std::byte>(), "\x21\x03", 2), 0);
}

Test(reading_onnx, bools_of_any_byte_become_zero_or_one) {
  const Graph graph = Read(ModelMessage(
      {.nodes = {{.op = "Not", .inputs = {"w"}, .outputs = {"y"}}},
       .initializers = {RawTensor("w", kOnnxBool, {4}, std::string("\x00\x01\x02\xff", 4))},
       .outputs = {ValueMessage("y", kOnnxBool, {{4}})}}));

  const Tensor& w = ConstantNamed(graph, "w");
  cr_expect_eq(std::memcmp(w.data<std::byte>(), "\x00\x01\x01\x01", 4), 0);
}

Test(reading_onnx, a_tensor_without_elements_needs_no_data) {
  const Graph graph = Read(ModelMessage(AddModel(TensorHead("w", kOnnxFloat, {0}))));

  cr_expect_eq(ConstantNamed(graph, "w").elements(), 0);
}

Test(reading_onnx, constant_nodes_become_constants) {
  const Graph graph = Read(ModelMessage(
      {.nodes =
           {{.op = "Constant", .outputs = {"a"}, .attributes = {FloatAttribute("value_float", 2)}},
            {.op = "Constant",
             .outputs = {"b"},
             .attributes = {TensorAttribute("value", FloatTensor("", {2}, {5, 6}))}},
            {.op = "Constant",
             .outputs = {"c"},
             .attributes = {IntsAttribute("value_ints", {7, 8})}},
            {.op = "Constant", .outputs = {"d"}, .attributes = {IntAttribute("value_int", 9)}},
            {.op = "Constant",
             .outputs = {"e"},
             .attributes = {FloatsAttribute("value_floats", {1, 2, 3})}},
            {.op = "Add", .inputs = {"a", "b"}, .outputs = {"y"}}},
       .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}}));

  cr_expect_eq(graph.nodes.size(), 1);
  cr_expect_eq(ConstantNamed(graph, "a").rank(), 0);
  cr_expect_eq(ConstantNamed(graph, "a").data<float>()[0], 2.0f);
  cr_expect_eq(ConstantNamed(graph, "b").data<float>()[1], 6.0f);
  cr_expect_eq(ConstantNamed(graph, "c").data<int64_t>()[1], 8);
  cr_expect_eq(ConstantNamed(graph, "d").data<int64_t>()[0], 9);
  cr_expect_eq(ConstantNamed(graph, "e").elements(), 3);
}

Test(reading_onnx, identities_of_initializers_share_their_memory) {
  ModelParts model = AddModel(FloatTensor("v", {2, 2}, {1, 2, 3, 4}));
  model.nodes.push_back({.op = "Identity", .inputs = {"u"}, .outputs = {"w"}});
  model.nodes.push_back({.op = "Identity", .inputs = {"v"}, .outputs = {"u"}});

  const Graph graph = Read(ModelMessage(model));

  cr_expect_eq(graph.nodes.size(), 1);
  cr_expect_eq(ConstantNamed(graph, "w").data<float>(), ConstantNamed(graph, "v").data<float>());
}

Test(reading_onnx, nodes_are_put_in_order) {
  const Graph graph = Read(
      ModelMessage({.nodes = {{.op = "Relu", .inputs = {"b"}, .outputs = {"y"}, .name = "second"},
                              {.op = "Relu", .inputs = {"x"}, .outputs = {"b"}, .name = "first"}},
                    .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                    .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}}));

  cr_assert_eq(graph.nodes.size(), 2);
  cr_expect_eq(graph.nodes[0].name, "first");
}

Test(reading_onnx, nodes_without_a_name_get_a_unique_one) {
  const Graph graph = Read(
      ModelMessage({.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"a"}},
                              {.op = "Relu", .inputs = {"a"}, .outputs = {"b"}, .name = "Relu_0"},
                              {.op = "Relu", .inputs = {"b"}, .outputs = {"c"}, .name = "Relu_0"},
                              {.op = "Relu", .inputs = {"c"}, .outputs = {"y"}}},
                    .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                    .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}}));

  cr_assert_eq(graph.nodes.size(), 4);
  cr_expect_eq(graph.nodes[0].name, "Relu_0_");
  cr_expect_eq(graph.nodes[1].name, "Relu_0");
  cr_expect_eq(graph.nodes[2].name, "Relu_0_2");
  cr_expect_eq(graph.nodes[3].name, "Relu_3");
}

Test(reading_onnx, optional_inputs_are_empty_names) {
  const Graph graph =
      Read(ModelMessage({.opset = 13,
                         .nodes = {{.op = "Clip", .inputs = {"x", "", "high"}, .outputs = {"y"}}},
                         .initializers = {FloatTensor("high", {}, {6})},
                         .inputs = {ValueMessage("x", kOnnxFloat, {{2}})},
                         .outputs = {ValueMessage("y", kOnnxFloat, {{2}})}}));

  cr_assert_eq(graph.nodes[0].inputs.size(), 3);
  cr_expect_eq(graph.nodes[0].inputs[1], kNoValue);
}

Test(reading_onnx, dimensions_may_have_names) {
  ModelParts model = ReluModel();
  model.inputs = {ValueMessage("x", kOnnxFloat, {{0, "batch"}, {-1}, {-2}, {7}})};

  const Graph graph = Read(ModelMessage(model));

  const Value& x = graph.value(graph.inputs[0]);
  cr_expect_eq(*x.shape, (Shape{kDynamic, kDynamic, kDynamic, 7}));
  cr_expect_eq(x.dim_names, (std::vector<std::string>{"batch", "", "", ""}));
}

Test(reading_onnx, inputs_with_an_initializer_are_constants) {
  ModelParts model = AddModel(FloatTensor("w", {2, 2}, {1, 2, 3, 4}));
  model.ir_version = 3;
  model.inputs.push_back(ValueMessage("w", kOnnxFloat, {{2}, {2}}));

  const Graph graph = Read(ModelMessage(model));

  cr_assert_eq(graph.inputs.size(), 1);
  cr_expect_eq(graph.value(graph.inputs[0]).name, "x");
}

Test(reading_onnx, types_of_values_come_from_the_file) {
  ModelParts model = ReluModel();
  model.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"a"}},
                 {.op = "Relu", .inputs = {"a"}, .outputs = {"y"}}};
  model.value_infos = {ValueMessage("a", kOnnxFloat, {{2}, {3}})};

  const Graph graph = Read(ModelMessage(model));

  cr_expect_eq(ValueNamed(graph, "a").dtype, DType::kF32);
}

Test(reading_onnx, attributes_of_every_kind_are_read) {
  const Graph graph = Read(ModelMessage(
      {.nodes = {{.op = "Relu",
                  .inputs = {"x"},
                  .outputs = {"y"},
                  .attributes = {IntsAttribute("pads", {1, 1, 1, 1}), IntAttribute("group", 1),
                                 StringAttribute("auto_pad", "NOTSET")}}},
       .inputs = {ValueMessage("x", kOnnxFloat, {{1}, {1}, {4}, {4}})},
       .outputs = {ValueMessage("y", kOnnxFloat, {{1}, {1}, {4}, {4}})}}));

  const Attributes& attributes = graph.nodes[0].attrs;
  cr_expect_eq(*attributes.Ints("pads", {}), (std::vector<int64_t>{1, 1, 1, 1}));
  cr_expect_eq(*attributes.Int("group", 0), 1);
  cr_expect_eq(*attributes.String("auto_pad", ""), "NOTSET");
}

Test(reading_onnx, attributes_without_a_type_take_that_of_their_value) {
  ModelParts model = ReluModel();
  model.nodes = {
      {.op = "LeakyRelu", .inputs = {"x"}, .outputs = {"y"}, .attributes = {Message([](auto& w) {
                                                               w.add_string(1, "alpha");
                                                               w.add_float(2, 0.5f);
                                                             })}}};

  const Graph graph = Read(ModelMessage(model));

  cr_expect_eq(*graph.nodes[0].attrs.Float("alpha", 0), 0.5f);
}

Test(reading_onnx, metadata_says_where_the_model_comes_from) {
  ModelParts model = ReluModel();
  model.metadata = {{"author", "somebody"}};

  const Graph graph = Read(ModelMessage(model));

  cr_expect_eq(graph.metadata.at("author"), "somebody");
  cr_expect_eq(graph.metadata.at("source.producer"), "intmill tests");
  cr_expect_eq(graph.metadata.at("source.opset"), "17");
}
