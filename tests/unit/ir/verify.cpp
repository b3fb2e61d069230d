// Tests of what VerifyGraph refuses.
#include <criterion/criterion.h>

#include "ir/infer.h"
#include "unit/ir/test_ops.h"

using namespace intmill;

namespace {

void ExpectRefused(const Graph& graph, const std::string& part) {
  const Status status = VerifyGraph(graph);
  cr_assert_not(status.ok());
  cr_expect_neq(status.message().find(part), std::string::npos, "message: %s",
                status.message().c_str());
}

}  // namespace

Test(verify, a_chain_is_a_graph) { cr_expect(VerifyGraph(Chain().graph).ok()); }

Test(verify, an_output_may_be_an_input_or_a_constant) {
  Chain chain;
  chain.graph.outputs = {chain.x, chain.graph.AddConstant("c", *Tensor::Scalar(1.0f))};
  cr_expect(VerifyGraph(chain.graph).ok());
}

Test(verify, names_are_unique) {
  Chain chain;
  chain.graph.values[2].name = "a";
  ExpectRefused(chain.graph, "two values have the name 'a'");
  chain.graph.values[2].name = "";
  ExpectRefused(chain.graph, "a value has no name");
}

Test(verify, node_names_are_unique) {
  Chain chain;
  chain.graph.nodes[1].name = "first";
  ExpectRefused(chain.graph, "two nodes have the name 'first'");
}

Test(verify, ids_are_in_range) {
  Chain chain;
  chain.graph.nodes[1].inputs = {77};
  ExpectRefused(chain.graph, "node 'second' (Negate): value 77 does not exist");
  chain.graph.nodes[1].inputs = {-2};
  ExpectRefused(chain.graph, "value -2 does not exist");
}

Test(verify, values_are_made_before_they_are_read) {
  Chain chain;
  std::swap(chain.graph.nodes[0], chain.graph.nodes[1]);
  ExpectRefused(chain.graph, "node 'second' (Negate): value 'a' is read before anything makes it");
}

Test(verify, values_are_made_once) {
  Chain chain;
  chain.graph.nodes[1].outputs = {chain.a};
  ExpectRefused(chain.graph, "value 'a' is made twice");
}

Test(verify, nothing_makes_an_input_or_a_constant) {
  Chain chain;
  chain.graph.nodes[1].outputs = {chain.x};
  ExpectRefused(chain.graph, "value 'x' is made twice");
  Chain other;
  other.graph.inputs.push_back(other.graph.AddConstant("c", *Tensor::Scalar(1.0f)));
  ExpectRefused(other.graph, "graph input: value 'c' is made twice");
}

Test(verify, outputs_are_made) {
  Chain chain;
  chain.graph.outputs = {chain.graph.AddValue("nobody")};
  ExpectRefused(chain.graph, "graph output: value 'nobody' is read before anything makes it");
}

Test(verify, operators_have_as_many_inputs_as_they_take) {
  Chain chain;
  chain.graph.nodes[1].inputs = {chain.a, chain.a};
  ExpectRefused(chain.graph, "has 2 inputs, wanted 1");
  chain.graph.nodes[1].inputs = {};
  ExpectRefused(chain.graph, "has 0 inputs, wanted 1");
}

Test(verify, operators_have_as_many_outputs_as_they_make) {
  Chain chain;
  chain.graph.nodes[1].op = &kTotal;
  chain.graph.nodes[1].outputs = {chain.b, kNoValue, kNoValue};
  ExpectRefused(chain.graph, "has 3 outputs, wanted 1 to 2");
}

Test(verify, inputs_and_outputs_that_are_not_optional_are_there) {
  Chain chain;
  chain.graph.nodes[1].inputs = {kNoValue};
  ExpectRefused(chain.graph, "number 0 of its inputs is missing");
  chain.graph.nodes[1].inputs = {chain.a};
  chain.graph.nodes[1].outputs = {kNoValue};
  ExpectRefused(chain.graph, "number 0 of its outputs is missing");
}

Test(verify, a_fused_add_brings_one_more_input) {
  Chain chain;
  chain.graph.nodes[1].inputs = {chain.a, chain.x};
  chain.graph.nodes[1].post_ops = {{.kind = PostOp::Kind::kAdd, .input = 1}};
  cr_expect(VerifyGraph(chain.graph).ok());
  chain.graph.nodes[1].post_ops[0].input = 2;
  ExpectRefused(chain.graph, "a fused add reads input 2 of 2");
}

Test(verify, a_constant_agrees_with_its_value) {
  Chain chain;
  const ValueId c = chain.graph.AddConstant("c", *Tensor::Scalar(1.0f));
  chain.graph.value(c).dtype = DType::kS8;
  ExpectRefused(chain.graph, "constant 'c' differs from its value");
}

Test(verify, a_node_without_operator_is_refused) {
  Chain chain;
  chain.graph.nodes[0].op = nullptr;
  ExpectRefused(chain.graph, "node 'first' (no operator): has no operator");
}
