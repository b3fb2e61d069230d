// Tests that what imports keep of older opsets is written as the newest one says it.
#include "export/standard_form.h"

#include "ir/op.h"
#include "support/close.h"
#include "support/graphs.h"
#include "unit/export/written.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// y = Softmax(x) over all dimensions from the axis on, as opset 12 and older have it.
Graph OldSoftmax(const std::string& op, const Shape& shape, int64_t axis) {
  GraphBuilder b;
  b.Output(b.Op(op, {b.Input("x", shape)}, With(Attr("axis", axis), "flattens", int64_t{1})));
  return b.graph;
}

Graph Standard(const Graph& graph) {
  Result<Graph> standard = ToStandardForm(graph);
  cr_assert(standard.ok(), "%s", standard.status().message().c_str());
  return *std::move(standard);
}

void ExpectSameOutputs(const Graph& found, const Graph& wanted, const Tensor& x) {
  const Result<std::vector<Tensor>> a = Interpret(found, {x});
  const Result<std::vector<Tensor>> b = Interpret(wanted, {x});
  cr_assert(a.ok(), "%s", a.status().message().c_str());
  cr_assert(b.ok(), "%s", b.status().message().c_str());
  cr_assert_eq(a->size(), b->size());
  for (size_t i = 0; i < a->size(); ++i) cr_expect(SameBytes((*a)[i], (*b)[i]));
}

Graph EqualParts(int64_t parts) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 6});
  std::vector<ValueId> outputs;
  for (int64_t i = 0; i < parts; ++i) outputs.push_back(b.graph.AddValue("part"));
  b.graph.AddNode("split", FindOp("Split"), {x}, outputs).attrs.Set("axis", int64_t{1});
  for (const ValueId id : outputs) b.Output(id);
  return b.graph;
}

}  // namespace

Test(standard_form, softmax_over_several_dimensions_is_flattened) {
  for (const int64_t axis : {0, 1, -2}) {
    const Graph old = OldSoftmax("Softmax", {2, 3, 4}, axis);
    const Graph read = Imported(Exported(old));
    cr_expect_eq(CountOps(read, "Flatten"), 1);
    cr_expect_eq(CountOps(read, "Reshape"), 1);
    for (const Node& node : read.nodes) cr_expect_not(node.attrs.Has("flattens"));
    cr_expect_str_eq(read.value(read.outputs[0]).name.c_str(),
                     old.value(old.outputs[0]).name.c_str());
    ExpectSameOutputs(read, old, RandomTensor({2, 3, 4}, 1));
  }
}

Test(standard_form, log_softmax_of_an_open_batch_is_flattened) {
  const Graph old = OldSoftmax("LogSoftmax", {kDynamic, 3, 4}, 1);
  ExpectSameOutputs(Imported(Exported(old)), old, RandomTensor({5, 3, 4}, 2));
}

Test(standard_form, softmax_that_ends_at_its_axis_stays_one_node) {
  for (const Shape& shape : {Shape{2, 3}, Shape{2, 3, 1, 1}}) {
    const Graph old = OldSoftmax("Softmax", shape, 1);
    const Graph standard = Standard(old);
    cr_expect_eq(standard.nodes.size(), 1);
    cr_expect_not(standard.nodes[0].attrs.Has("flattens"));
    ExpectSameOutputs(Imported(Exported(old)), old, RandomTensor(shape, 3));
  }
}

Test(standard_form, split_into_equal_parts_says_how_many) {
  const Graph graph = EqualParts(3);
  const Graph read = Imported(Exported(graph));
  cr_expect_eq(std::get<int64_t>(*read.nodes[0].attrs.Find("num_outputs")), 3);
  ExpectSameOutputs(read, graph, RandomTensor({2, 6}, 4));
}

Test(standard_form, split_with_lengths_does_not_count) {
  Graph graph = EqualParts(2);
  graph.nodes[0].inputs.push_back(graph.AddConstant("lengths", TensorOf<int64_t>({2}, {2, 4})));
  cr_expect_not(Standard(graph).nodes[0].attrs.Has("num_outputs"));
}

Test(standard_form, parts_that_nobody_reads_are_counted) {
  Graph graph = EqualParts(3);
  graph.nodes[0].outputs[2] = kNoValue;
  graph.outputs.pop_back();
  Prune(graph);
  const Graph read = Imported(Exported(graph));
  cr_expect_eq(read.nodes[0].outputs.size(), 3);
  cr_expect_eq(*read.value(read.outputs[0]).shape, (Shape{2, 2}));
}

Test(standard_form, invented_names_do_not_take_those_of_others) {
  Graph graph = OldSoftmax("Softmax", {2, 3, 4}, 1);
  graph.value(graph.inputs[0]).name = "Softmax_flat";
  ExpectSameOutputs(Imported(Exported(graph)), graph, RandomTensor({2, 3, 4}, 5));
}

Test(standard_form, operators_of_our_own_are_refused_by_name) {
  Graph graph;
  const ValueId a = graph.AddValue("a", DType::kU8, Shape{1, 2});
  const ValueId w = graph.AddValue("w", DType::kF32, Shape{2, 2});
  graph.inputs = {a, w};
  graph.outputs = {graph.AddValue("y")};
  graph.AddNode("dense", FindOp("DynamicMatMul", "intmill"), {a, w}, {graph.outputs[0]});
  const Status status = ExportStatus(graph);
  cr_expect_eq(status.code(), Code::kUnsupported);
  cr_expect_str_eq(status.message().c_str(),
                   "node 'dense' (DynamicMatMul): operators of domain 'intmill' have no ONNX form");
}

Test(standard_form, compiled_graphs_are_refused) {
  Graph fused = EqualParts(2);
  fused.nodes[0].post_ops.push_back({.kind = PostOp::Kind::kRelu});
  cr_expect_eq(ExportStatus(fused).code(), Code::kInvalidArgument);
  Graph integers = EqualParts(2);
  integers.value(integers.inputs[0]).qparams = std::make_shared<const QParams>();
  cr_expect_eq(ExportStatus(integers).code(), Code::kInvalidArgument);
}

Test(standard_form, swish_is_written_as_a_product_with_its_sigmoid) {
  GraphBuilder b;
  b.Output(b.Op("Swish", {b.Input("x", {3, 50})}));
  const Graph standard = Standard(b.graph);
  cr_expect_eq(CountOps(standard, "Swish"), 0);
  cr_expect_eq(CountOps(standard, "Sigmoid"), 1);
  const Tensor x = RandomTensor({3, 50}, 1);
  const Result<std::vector<Tensor>> found = Interpret(standard, {x});
  const Result<std::vector<Tensor>> wanted = Interpret(b.graph, {x});
  cr_assert(found.ok() && wanted.ok());
  const std::string difference =
      Differs((*found)[0], (*wanted)[0], {.relative = 1e-6, .absolute = 1e-6});  // two roundings
  cr_expect(difference.empty(), "%s", difference.c_str());
}
