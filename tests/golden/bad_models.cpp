// Wrong ONNX files, one mistake each: the classes of bugs that model loaders have had.
#include "golden/bad_models.h"

#include <cstdint>
#include <limits>

#include "support/onnx_writer.h"

namespace intmill::test {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

ModelParts Relu() {
  return {.nodes = {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}, .name = "relu"}},
          .inputs = {ValueMessage("x", kOnnxFloat, {{2}, {2}})},
          .outputs = {ValueMessage("y", kOnnxFloat, {{2}, {2}})}};
}

std::string WithInitializer(const std::string& tensor) {
  ModelParts model = Relu();
  model.nodes = {{.op = "Add", .inputs = {"x", "w"}, .outputs = {"y"}, .name = "add"}};
  model.initializers = {tensor};
  return ModelMessage(model);
}

std::string WithNodes(std::vector<NodeParts> nodes) {
  ModelParts model = Relu();
  model.nodes = std::move(nodes);
  return ModelMessage(model);
}

std::string WithAttribute(const std::string& attribute) {
  return WithNodes({{.op = "Relu",
                     .inputs = {"x"},
                     .outputs = {"y"},
                     .attributes = {attribute},
                     .name = "relu"}});
}

// A convolution of 1x4x8x8 by 8x4x3x3.
std::string WithConv(const std::vector<std::string>& attributes,
                     const std::vector<int64_t>& weight_dims = {8, 4, 3, 3}) {
  int64_t elements = 1;
  for (const int64_t dim : weight_dims) elements *= dim;
  return ModelMessage(
      {.nodes = {{.op = "Conv",
                  .inputs = {"x", "w"},
                  .outputs = {"y"},
                  .attributes = attributes,
                  .name = "conv1"}},
       .initializers = {FloatTensor("w", weight_dims,
                                    std::vector<float>(static_cast<size_t>(elements), 0.5f))},
       .inputs = {ValueMessage("x", kOnnxFloat, {{1}, {4}, {8}, {8}})},
       .outputs = {ValueMessage("y", kOnnxFloat, {{1}, {8}, {-1}, {-1}})}});
}

void AddSizes(std::vector<BadModel>& models) {
  const auto add = [&](const char* name, const std::string& tensor) {
    models.push_back({name, WithInitializer(tensor)});
  };
  add("initializer_dims_overflow",
      RawTensor("w", kOnnxFloat, {(int64_t{1} << 42) + 1, 1 << 22}, ""));
  add("initializer_dims_product_overflow",
      RawTensor("w", kOnnxFloat, {65536, 65536, 65536, 65536}, ""));
  add("initializer_dims_int64_max", RawTensor("w", kOnnxFloat, {kMax, 2}, ""));
  add("initializer_dim_negative", FloatTensor("w", {-1, 2}, {1, 2}));
  add("initializer_rank_13", FloatTensor("w", {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, {1}));
  add("initializer_too_short", FloatTensor("w", {2, 2}, {1, 2, 3}));
  add("initializer_too_long", FloatTensor("w", {2, 2}, {1, 2, 3, 4, 5}));
  add("initializer_without_data", TensorHead("w", kOnnxFloat, {2, 2}));
  add("initializer_in_the_wrong_field", Int32DataTensor("w", kOnnxFloat, {2, 2}, {1, 2, 3, 4}));
  add("initializer_in_two_fields",
      FloatTensor("w", {2}, {1, 2}) + Message([](auto& w) { w.add_float(4, 1.0f); }));
  add("initializer_int8_out_of_range", Int32DataTensor("w", kOnnxInt8, {2}, {1, 300}));
  add("initializer_int4_too_short", RawTensor("w", kOnnxInt4, {5}, "ab"));
  add("initializer_double", RawTensor("w", kOnnxDouble, {1}, "12345678"));
  add("initializer_type_99", RawTensor("w", 99, {1}, "1234"));
  add("initializer_strings",
      TensorHead("w", kOnnxString, {1}) + Message([](auto& w) { w.add_bytes(6, "text"); }));
}

void AddNames(std::vector<BadModel>& models) {
  ModelParts twice = Relu();
  twice.initializers = {FloatTensor("w", {1}, {1}), FloatTensor("w", {1}, {2})};
  models.push_back({"initializer_twice", ModelMessage(twice)});

  ModelParts nameless = Relu();
  nameless.initializers = {FloatTensor("", {1}, {1})};
  models.push_back({"initializer_without_name", ModelMessage(nameless)});

  ModelParts inputs = Relu();
  inputs.inputs.push_back(inputs.inputs[0]);
  models.push_back({"input_twice", ModelMessage(inputs)});

  ModelParts outputs = Relu();
  outputs.outputs.push_back(outputs.outputs[0]);
  models.push_back({"output_twice", ModelMessage(outputs)});

  ModelParts missing = Relu();
  missing.outputs = {ValueMessage("z", kOnnxFloat, {})};
  models.push_back({"output_of_no_node", ModelMessage(missing)});

  ModelParts none = Relu();
  none.outputs.clear();
  models.push_back({"graph_without_outputs", ModelMessage(none)});

  models.push_back(
      {"value_with_two_producers",
       WithNodes({{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}, .name = "first"},
                  {.op = "Neg", .inputs = {"x"}, .outputs = {"y"}, .name = "second"}})});
  models.push_back(
      {"node_writes_its_input",
       WithNodes({{.op = "Relu", .inputs = {"x"}, .outputs = {"x"}, .name = "relu"}})});
  models.push_back(
      {"node_reads_nothing",
       WithNodes({{.op = "Relu", .inputs = {"z"}, .outputs = {"y"}, .name = "relu"}})});
  models.push_back(
      {"name_too_long",
       WithNodes(
           {{.op = "Relu", .inputs = {"x"}, .outputs = {"y"}, .name = std::string(1025, 'n')}})});
}

void AddStructure(std::vector<BadModel>& models) {
  models.push_back(
      {"node_eats_itself",
       WithNodes({{.op = "Add", .inputs = {"x", "y"}, .outputs = {"y"}, .name = "loop"}})});
  models.push_back(
      {"nodes_in_a_circle",
       WithNodes({{.op = "Add", .inputs = {"x", "b"}, .outputs = {"a"}, .name = "one"},
                  {.op = "Relu", .inputs = {"a"}, .outputs = {"b"}, .name = "two"},
                  {.op = "Relu", .inputs = {"b"}, .outputs = {"y"}, .name = "three"}})});
  models.push_back(
      {"too_many_inputs",
       WithNodes({{.op = "Relu", .inputs = {"x", "x"}, .outputs = {"y"}, .name = "relu"}})});
  models.push_back({"too_few_inputs",
                    WithNodes({{.op = "Add", .inputs = {"x"}, .outputs = {"y"}, .name = "add"}})});
  models.push_back(
      {"required_input_absent",
       WithNodes({{.op = "Add", .inputs = {"", "x"}, .outputs = {"y"}, .name = "add"}})});
  models.push_back(
      {"required_output_absent",
       WithNodes({{.op = "Relu", .inputs = {"x"}, .outputs = {""}, .name = "relu"},
                  {.op = "Relu", .inputs = {"x"}, .outputs = {"y"}, .name = "other"}})});
  models.push_back({"node_without_operator",
                    WithNodes({{.op = "", .inputs = {"x"}, .outputs = {"y"}, .name = "relu"}})});
  models.push_back(
      {"unknown_operators",
       WithNodes(
           {{.op = "Zap", .inputs = {"x"}, .outputs = {"a"}},
            {.op = "QLinearAdd", .inputs = {"a"}, .outputs = {"b"}, .domain = "com.microsoft"},
            {.op = "QLinearConv", .inputs = {"a"}, .outputs = {"c"}},
            {.op = "Zap", .inputs = {"b"}, .outputs = {"y"}}})});
  models.push_back({"loop_with_a_body",
                    WithNodes({{.op = "Loop",
                                .inputs = {"", "", "x"},
                                .outputs = {"y"},
                                .attributes = {GraphAttribute("body", GraphMessage(Relu()))}}})});

  // Two thousand sequences of sequences: the walk must not follow.
  std::string type = Message([](auto& w) { w.add_message(1, std::string()); });
  for (int i = 0; i < 2000; ++i) {
    const std::string sequence = Message([&](auto& w) { w.add_message(1, type); });
    type = Message([&](auto& w) { w.add_message(4, sequence); });
  }
  ModelParts deep = Relu();
  deep.inputs = {Message([&](auto& w) {
    w.add_string(1, "x");
    w.add_message(2, type);
  })};
  models.push_back({"input_nested_deeply", ModelMessage(deep)});

  ModelParts untyped = Relu();
  untyped.inputs = {Message([](auto& w) { w.add_string(1, "x"); })};
  models.push_back({"input_without_type", ModelMessage(untyped)});

  ModelParts negative = Relu();
  negative.inputs = {ValueMessage("x", kOnnxFloat, {{-7}, {2}})};
  models.push_back({"input_dim_negative", ModelMessage(negative)});

  ModelParts huge = Relu();
  huge.inputs = {ValueMessage("x", kOnnxFloat, {{65536}, {65536}, {65536}})};
  models.push_back({"input_too_large", ModelMessage(huge)});

  ModelParts text = Relu();
  text.inputs = {ValueMessage("x", kOnnxString, {{2}})};
  models.push_back({"input_of_strings", ModelMessage(text)});
}

void AddAttributes(std::vector<BadModel>& models) {
  models.push_back(
      {"attribute_twice", WithNodes({{.op = "Relu",
                                      .inputs = {"x"},
                                      .outputs = {"y"},
                                      .attributes = {IntAttribute("a", 1), IntAttribute("a", 2)},
                                      .name = "relu"}})});
  models.push_back({"attribute_without_name", WithAttribute(IntAttribute("", 1))});
  models.push_back({"attribute_without_value",
                    WithAttribute(Message([](auto& w) { w.add_string(1, "alpha"); }))});
  models.push_back({"attribute_type_mismatch", WithAttribute(Message([](auto& w) {
                      w.add_string(1, "alpha");
                      w.add_float(2, 1.0f);
                      w.add_int32(20, 2);
                    }))});
  models.push_back({"attribute_of_two_types", WithAttribute(Message([](auto& w) {
                      w.add_string(1, "alpha");
                      w.add_float(2, 1.0f);
                      w.add_int64(3, 1);
                    }))});
  models.push_back(
      {"attribute_holds_a_graph", WithAttribute(GraphAttribute("body", GraphMessage(Relu())))});
  models.push_back(
      {"attribute_tensor_too_short",
       WithNodes({{.op = "Constant",
                   .outputs = {"y"},
                   .attributes = {TensorAttribute("value", RawTensor("", kOnnxInt64, {2}, "1234"))},
                   .name = "constant"}})});
  models.push_back({"attributes_65",
                    WithNodes({{.op = "Relu",
                                .inputs = {"x"},
                                .outputs = {"y"},
                                .attributes = std::vector<std::string>(65, IntAttribute("a", 1)),
                                .name = "relu"}})});
  models.push_back({"conv_stride_0", WithConv({IntsAttribute("strides", {0, 1})})});
  models.push_back({"conv_group_0", WithConv({IntAttribute("group", 0)})});
  models.push_back({"conv_group_3", WithConv({IntAttribute("group", 3)})});
  models.push_back({"conv_dilation_0", WithConv({IntsAttribute("dilations", {0, 1})})});
  models.push_back({"conv_pads_int64_min", WithConv({IntsAttribute("pads", {kMin, 0, 0, 0})})});
  models.push_back({"conv_dilation_overflow",
                    WithConv({IntsAttribute("dilations", {int64_t{1} << 62, int64_t{1} << 62})})});
  models.push_back({"conv_channels", WithConv({}, {8, 3, 3, 3})});
  models.push_back({"conv_kernel_empty", WithConv({}, {8, 4, 0, 3})});
  models.push_back({"conv_strides_of_another_type", WithConv({FloatAttribute("strides", 1)})});
}

void AddVersions(std::vector<BadModel>& models) {
  const auto add = [&](const char* name, int64_t ir_version, int64_t opset) {
    ModelParts model = Relu();
    model.ir_version = ir_version;
    model.opset = opset;
    models.push_back({name, ModelMessage(model)});
  };
  add("ir_version_2", 2, 17);
  add("ir_version_14", 14, 17);
  add("opset_6", 8, 6);
  add("opset_23", 8, 23);
  models.push_back({"opset_missing", Message([](auto& w) {
                      w.add_int64(1, 8);
                      w.add_message(7, GraphMessage(Relu()));
                    })});
  models.push_back({"opsets_disagree", ModelMessage(Relu()) + Message([](auto& w) {
                                         w.add_message(8, OpsetMessage("ai.onnx", 13));
                                       })});
  models.push_back({"graph_missing", Message([](auto& w) {
                      w.add_int64(1, 8);
                      w.add_message(8, OpsetMessage("", 17));
                    })});
  models.push_back({"two_graphs", ModelMessage(Relu()) + Message([](auto& w) {
                                    w.add_message(7, GraphMessage(Relu()));
                                  })});
}

// Bytes that are not protobuf, or only nearly.
void AddWire(std::vector<BadModel>& models) {
  const std::string good = ModelMessage(Relu());
  models.push_back(
      {"wire_length_2_63", good + std::string("\x32\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11)});
  models.push_back({"wire_length_2_32_and_1", good + std::string("\x32\x81\x80\x80\x80\x10z", 7)});
  models.push_back({"wire_varint_too_long", good + std::string("\x28") + std::string(12, '\xff')});
  models.push_back({"wire_ends_in_a_varint", good + "\x28\xff"});
  models.push_back({"wire_group", good + "\x2b"});
  models.push_back({"wire_field_0", good + std::string("\x00\x01", 2)});
  models.push_back({"wire_type_of_field", good + std::string("\x15"
                                                             "1234")});
  models.push_back(
      {"wire_packed_odd_size", WithInitializer(TensorHead("w", kOnnxFloat, {1}) +
                                               Message([](auto& w) { w.add_bytes(4, "12345"); }))});
}

void AddExternal(std::vector<BadModel>& models) {
  const auto add = [&](const char* name,
                       const std::vector<std::pair<std::string, std::string>>& place) {
    models.push_back({name, WithInitializer(ExternalTensor("w", kOnnxFloat, {2}, place))});
  };
  add("external_parent", {{"location", "../messages.txt"}});
  add("external_inner_parent", {{"location", "a/../../messages.txt"}});
  add("external_absolute", {{"location", "/etc/passwd"}});
  add("external_device", {{"location", "/dev/zero"}});
  add("external_backslashes", {{"location", "a\\..\\b"}});
  add("external_zero_byte", {{"location", std::string("messages.txt\0.bin", 17)}});
  add("external_folder", {{"location", "."}});
  add("external_missing", {{"location", "no_such_file.bin"}});
  add("external_without_location", {{"offset", "0"}});
  add("external_offset_text", {{"location", "messages.txt"}, {"offset", "0x10"}});
  add("external_offset_negative", {{"location", "messages.txt"}, {"offset", "-4"}});
  add("external_offset_overflow",
      {{"location", "weights.bin"}, {"offset", std::to_string(kMax)}, {"length", "8"}});
  add("external_past_the_end", {{"location", "weights.bin"}, {"offset", "12"}});
  add("external_length", {{"location", "weights.bin"}, {"length", "7"}});
  models.push_back(
      {"external_and_raw", WithInitializer(FloatTensor("w", {2}, {1, 2}) +
                                           Message([](auto& w) { w.add_int32(14, 1); }))});
}

void AddOthers(std::vector<BadModel>& models) {
  models.push_back({"empty", ""});
  models.push_back({"tflite", std::string("\x1c\x00\x00\x00TFL3\x14\x00", 10)});
  models.push_back({"zip", "PK\x03\x04zip"});
  models.push_back({"git_lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"});
  models.push_back({"text", "Dear model,"});
}

}  // namespace

std::vector<BadModel> BadModels() {
  std::vector<BadModel> models;
  AddSizes(models);
  AddNames(models);
  AddStructure(models);
  AddAttributes(models);
  AddVersions(models);
  AddWire(models);
  AddExternal(models);
  AddOthers(models);
  return models;
}

}  // namespace intmill::test
