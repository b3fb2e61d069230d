// Tests of shape inference, of finding operators, and of running single nodes.
#include "ir/infer.h"

#include <criterion/criterion.h>

#include "ir/op.h"
#include "unit/ir/test_ops.h"

using namespace intmill;

namespace {

constexpr int64_t kNoLimit = INT64_MAX;

Status InferHuge(InferContext& context) {
  context.SetOutput(0, DType::kF32, Shape{kMaxDim, kMaxDim, kMaxDim});
  return Ok();
}
const OpDef kHuge{.name = "Huge", .infer = InferHuge};

Status InferUnknown(InferContext& context) {
  context.SetOutput(0, DType::kF32, Shape{kDynamic});
  return Ok();
}
const OpDef kUnknown{.name = "Unknown", .infer = InferUnknown, .reference = NegateReference};

Graph OneNode(const OpDef* op) {
  Graph graph;
  const ValueId x = graph.AddValue("x", DType::kF32, Shape{3});
  graph.inputs = {x};
  graph.outputs = {graph.AddValue("y")};
  graph.AddNode("it", op, {x}, {graph.outputs[0]});
  return graph;
}

Result<std::vector<Tensor>> Evaluate(const OpDef* op, const Tensor& x, int64_t max_bytes) {
  const Graph graph = OneNode(op);
  const Tensor* inputs[] = {&x};
  return EvaluateNode(graph, graph.nodes[0], inputs, max_bytes);
}

}  // namespace

Test(infer, shapes_flow_through_the_graph) {
  Chain chain;
  cr_assert(InferShapes(chain.graph).ok());
  cr_expect_eq(chain.graph.value(chain.b).dtype, DType::kF32);
  cr_expect(chain.graph.value(chain.b).shape == Shape({2, kDynamic}));
}

Test(infer, old_shapes_are_replaced) {
  Chain chain;
  chain.graph.value(chain.b).shape = Shape{9};
  chain.graph.value(chain.x).shape.reset();
  cr_assert(InferShapes(chain.graph).ok());
  cr_expect_not(chain.graph.value(chain.b).shape.has_value());
}

Test(infer, errors_name_the_node) {
  Chain chain;
  chain.graph.value(chain.x).dtype = DType::kBool;
  const Status status = InferShapes(chain.graph);
  cr_expect_eq(status.message(), "node 'first' (Negate): bool has no sum");
}

Test(infer, absurd_shapes_are_refused) {
  Graph graph = OneNode(&kHuge);
  cr_expect_eq(InferShapes(graph).code(), Code::kShape);
}

Test(infer, outputs_that_are_not_there_are_left_out) {
  Graph graph = OneNode(&kTotal);
  graph.nodes[0].outputs.push_back(kNoValue);
  cr_expect(InferShapes(graph).ok());
}

Test(context, absent_inputs_have_nothing) {
  Graph graph = OneNode(&kTotal);
  graph.nodes[0].inputs.push_back(kNoValue);
  const ValueId c = graph.AddConstant("c", *Tensor::Scalar(int64_t{4}));
  graph.nodes[0].inputs.push_back(c);
  const InferContext context(graph, graph.nodes[0], {});
  cr_expect_not(context.has_input(1));
  cr_expect_not(context.has_input(3));
  cr_expect_eq(context.dtype(1), DType::kNone);
  cr_expect_null(context.shape(7));
  cr_expect_null(context.constant(0));
  cr_expect_eq(context.constant(2)->values<int64_t>()[0], 4);
}

Test(evaluate, computes_by_the_reference) {
  const std::vector<float> x = {1, -2, 3};
  const auto y = Evaluate(&kNegate, *Tensor::Of(std::span(x)), kNoLimit);
  cr_assert(y.ok(), "%s", y.status().message().c_str());
  cr_expect(*ToFloats((*y)[0]) == std::vector<float>({-1, 2, -3}));
}

Test(evaluate, more_than_the_limit_is_refused_and_the_limit_is_not) {
  const std::vector<float> x = {1, 2};
  cr_expect(Evaluate(&kNegate, *Tensor::Of(std::span(x)), 8).ok());
  const auto y = Evaluate(&kNegate, *Tensor::Of(std::span(x)), 7);
  cr_expect_eq(y.status().code(), Code::kOutOfMemory);
  cr_expect_neq(y.status().message().find("node 'it' (Negate)"), std::string::npos);
}

Test(evaluate, an_operator_without_reference_is_unsupported) {
  cr_expect_eq(Evaluate(&kTotal, *Tensor::Scalar(1.0f), kNoLimit).status().code(),
               Code::kUnsupported);
}

Test(evaluate, an_unknown_output_shape_is_refused) {
  cr_expect_eq(Evaluate(&kUnknown, *Tensor::Scalar(1.0f), kNoLimit).status().code(), Code::kShape);
}

Test(ops, unknown_names_and_domains_are_not_found) {
  cr_expect_null(FindOp("NoSuchOperator"));
  cr_expect_null(FindOp("Conv", "no.such.domain"));
}

Test(ops, every_operator_of_the_table_is_found_and_complete) {
  for (const OpDef* op : AllOps()) {
    cr_expect_eq(FindOp(op->name, op->domain), op, "%s", std::string(op->name).c_str());
    cr_expect_not_null(op->infer, "%s has no shape inference", std::string(op->name).c_str());
  }
}
