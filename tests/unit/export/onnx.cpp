// Tests of the ONNX files that export writes, read back by our own import.
#include "export/onnx.h"

#include "import/onnx/model_proto.h"
#include "ir/op.h"
#include "ir/opset.h"
#include "support/graphs.h"
#include "unit/export/written.h"
#include "unit/format/model.h"
#include "unit/temporary_folder.h"

using namespace intmill;
using namespace intmill::test;

namespace {

onnx::ModelProto ProtoOf(const std::string& bytes) {
  const Result<onnx::ModelProto> proto = onnx::ReadModelProto(bytes);
  cr_assert(proto.ok(), "%s", proto.status().message().c_str());
  return *proto;
}

}  // namespace

Test(onnx, nodes_names_and_dimensions_survive) {
  const Graph graph = Inferred(SmallModel());
  ExpectEqual(Imported(Exported(graph)), graph);
}

Test(onnx, what_is_known_of_shapes_survives) {
  GraphBuilder b;
  for (const Shape& shape : {Shape{}, Shape{kDynamic}, Shape{2, kDynamic, 0}})
    b.Output(b.Op("Relu", {b.Input("x", shape)}));
  b.graph.value(b.Input("any", {})).shape.reset();
  b.graph.value(b.graph.inputs[2]).dim_names = {"", "named", ""};
  Graph graph = Inferred(b.graph);
  const Result<Graph> read = ReadOnnx(BlobOf(Exported(graph)), "");
  cr_assert(read.ok(), "%s", read.status().message().c_str());
  for (size_t i = 0; i < graph.inputs.size(); ++i)
    cr_expect(read->value(read->inputs[i]).shape == graph.value(graph.inputs[i]).shape);
  cr_expect_eq(read->value(read->inputs[2]).dim_names[1], "named");
}

Test(onnx, shapes_of_outputs_are_declared) {
  GraphBuilder b;
  b.Output(b.Op("Relu", {b.Input("x", {kDynamic, 10})}));
  const std::string bytes = Exported(Inferred(b.graph));
  const Result<onnx::GraphProto> graph = onnx::ReadGraphProto(ProtoOf(bytes).graph);
  cr_assert(graph.ok());
  const Result<onnx::ValueInfo> output = onnx::ReadValueInfo(graph->outputs[0], "output");
  cr_assert(output.ok());
  cr_expect(output->shape == Shape({kDynamic, 10}));
}

Test(onnx, attributes_of_every_kind_survive) {
  const Graph read = Imported(Exported(SmallModel()));
  const Attributes& attrs = read.nodes[1].attrs;
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

Test(onnx, constants_of_every_type_survive) {
  Graph graph = SmallModel();
  for (const DType dtype :
       {DType::kF32, DType::kF16, DType::kBf16, DType::kS8, DType::kU8, DType::kS32, DType::kS64,
        DType::kS4, DType::kU4, DType::kBool, DType::kS16}) {
    Tensor tensor = *Tensor::Make(dtype, {2, 3});
    std::memset(tensor.mutable_data<void>(), 1, static_cast<size_t>(tensor.bytes()));
    graph.AddConstant(DTypeName(dtype), std::move(tensor));
  }
  graph.AddConstant("scalar", *Tensor::Scalar(7.0f));
  graph.AddConstant("empty", *Tensor::Make(DType::kF32, {0, 3}));
  const Graph read = Imported(Exported(graph));
  for (const Value& value : graph.values) {
    if (!value.constant) continue;
    const Tensor* const found = ConstantNamed(read, value.name);
    cr_assert(found != nullptr, "%s", value.name.c_str());
    cr_expect(SameBytes(*found, *value.constant), "%s", value.name.c_str());
  }
}

Test(onnx, missing_inputs_stay_missing) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3});
  b.Output(b.Op("Clip", {x, kNoValue, b.Float(1)}));
  b.Output(b.Op("Clip", {x, b.Float(0), kNoValue}));
  const Graph read = Imported(Exported(b.graph));
  cr_expect_eq(read.nodes[0].inputs.size(), 3);
  cr_expect_eq(read.nodes[0].inputs[1], kNoValue);
  cr_expect_eq(read.nodes[1].inputs.size(), 2);
}

Test(onnx, inputs_and_constants_may_be_outputs) {
  GraphBuilder b;
  b.Output(b.Input("x", {2}));
  b.Output(b.Constant(TensorOf<float>({2}, {1, 2})));
  const Graph read = Imported(Exported(b.graph));
  cr_expect_eq(read.outputs[0], read.inputs[0]);
  cr_expect_eq(read.ConstantOf(read.outputs[1])->values<float>()[1], 2.0f);
}

Test(onnx, metadata_is_kept_and_the_producer_named) {
  Graph graph = SmallModel();
  graph.metadata["note"] = "caf\u00e9";
  const std::string bytes = Exported(graph);
  const onnx::ModelProto proto = ProtoOf(bytes);
  cr_expect_eq(proto.producer_name, "intmill");
  cr_expect(proto.producer_version.starts_with("0."));
  cr_expect(proto.metadata.at("note") == "caf\u00e9");
  cr_expect(proto.metadata.at("source.file") == "small.onnx");
  cr_expect(proto.metadata.at("empty").empty());
}

Test(onnx, files_have_one_opset_and_an_old_ir_version) {
  const std::string bytes = Exported(SmallModel());
  const onnx::ModelProto proto = ProtoOf(bytes);
  cr_expect_eq(proto.ir_version, 8);
  cr_expect_eq(proto.opsets.size(), 1);
  cr_expect_eq(proto.opsets.at(""), kOpset);
}

Test(onnx, four_bits_need_a_newer_ir_version) {
  Graph graph = SmallModel();
  graph.AddConstant("nibbles", *Tensor::Make(DType::kS4, {4}));
  const std::string bytes = Exported(graph);
  cr_expect_eq(ProtoOf(bytes).ir_version, 10);
}

Test(onnx, the_same_graph_gives_the_same_bytes) {
  const std::string first = Exported(SmallModel());
  cr_expect(Exported(SmallModel()) == first);
  Graph read = Imported(first);
  read.metadata = SmallModel().metadata;
  cr_expect(Exported(read) == first);
}

Test(onnx, more_than_two_gib_is_refused_before_a_byte_is_written) {
  Graph graph = SmallModel();
  // Never read: what is too much is known from shapes.
  const float number = 0;
  for (int i = 0; i < 2; ++i)
    graph.AddConstant("big", Tensor::View(DType::kF32, {1 << 28}, &number, nullptr));
  bool is_written = false;
  const Status status = WriteOnnx(Inferred(graph), [&](std::span<const std::byte>) {
    is_written = true;
    return Ok();
  });
  cr_expect_eq(status.code(), Code::kUnsupported);
  cr_expect(status.message().find("external data is not written") != std::string::npos, "%s",
            status.message().c_str());
  cr_expect_not(is_written);
}

Test(onnx, a_type_that_was_never_inferred_is_named) {
  const Status status = ExportStatus(SmallModel());
  cr_expect_eq(status.code(), Code::kUnsupported);
  cr_expect_str_eq(status.message().c_str(), "output: 'y' has an element type that is not known");
}

Test(onnx, a_failing_sink_stops_writing) {
  const Status status = WriteOnnx(Inferred(SmallModel()), [](std::span<const std::byte>) {
    return Error(Code::kIo, "disk full");
  });
  cr_expect(status.message() == "disk full");
}

Test(onnx, a_refused_export_leaves_the_old_file) {
  const TemporaryFolder folder;
  cr_assert(WriteOnnx(Inferred(SmallModel()), folder / "m.onnx").ok());
  const std::string old = folder.Read("m.onnx");
  Graph compiled = Inferred(SmallModel());
  compiled.nodes[0].post_ops.push_back({.kind = PostOp::Kind::kRelu});
  cr_expect_not(WriteOnnx(compiled, folder / "m.onnx").ok());
  cr_expect(folder.Read("m.onnx") == old);
  cr_expect_eq(folder.Entries(), 1);
}
