// Tests of fuse_activations and fuse_residual_add, which take turns.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const std::vector<Tensor> kImage = {RandomTensor({1, 4, 5, 5}, 1)};

struct Images : GraphBuilder {
  ValueId x = Input("x", {kDynamic, 4, 5, 5});
  ValueId Conv(ValueId in, uint32_t seed) {
    return Op("Conv", {in, Constant(RandomTensor({4, 4, 1, 1}, seed))});
  }
};

void ExpectCompiles(const Graph& graph, size_t nodes) {
  const Graph compiled = Compiled(graph, kImage);
  cr_expect_eq(compiled.nodes.size(), nodes, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, kImage);
}

}  // namespace

Test(fuse_activations, relu_rides_on_a_conv) {
  Images b;
  b.Output(b.Op("Relu", {b.Conv(b.x, 2)}));
  ExpectCompiles(b.graph, 1);
}

Test(fuse_activations, one_follows_the_other) {
  Images b;
  b.Output(b.Op("Sigmoid", {b.Op("Clip", {b.Conv(b.x, 2), b.Float(-0.5f), b.Float(0.25f)})}));
  ExpectCompiles(b.graph, 1);
}

Test(fuse_activations, a_value_that_others_read_is_written) {
  Images b;
  const ValueId conv = b.Conv(b.x, 2);
  b.Output(b.Op("Relu", {conv}));
  b.Output(b.Op("Neg", {conv}));
  ExpectCompiles(b.graph, 3);
}

Test(fuse_activations, an_output_of_the_model_is_written) {
  Images b;
  const ValueId conv = b.Conv(b.x, 2);
  b.Output(conv);
  b.Output(b.Op("Relu", {conv}));
  ExpectCompiles(b.graph, 2);
}

Test(fuse_activations, elementwise_nodes_clamp_and_no_more) {
  Images relu;
  relu.Output(relu.Op("Relu", {relu.Op("Mul", {relu.x, relu.Conv(relu.x, 2)})}));
  ExpectCompiles(relu.graph, 2);
  Images tanh;
  tanh.Output(tanh.Op("Tanh", {tanh.Op("Mul", {tanh.x, tanh.Conv(tanh.x, 2)})}));
  ExpectCompiles(tanh.graph, 3);
}

Test(fuse_activations, a_clip_with_computed_bounds_stays) {
  Images b;
  const ValueId bound = b.Input("bound", {});
  b.Output(b.Op("Clip", {b.Conv(b.x, 2), bound}));
  const Graph compiled = Compiled(b.graph, {kImage[0], *Tensor::Scalar(0.0f)});
  cr_expect_eq(compiled.nodes.size(), 2);
}

Test(fuse_residual_add, the_sum_rides_on_the_later_conv) {
  Images b;
  const ValueId first = b.Conv(b.x, 2);
  const ValueId second = b.Conv(b.Op("Relu", {first}), 3);
  b.Output(b.Op("Relu", {b.Op("Add", {second, b.x})}));
  ExpectCompiles(b.graph, 2);
}

Test(fuse_residual_add, of_two_convs_one_takes_the_other) {
  Images b;
  b.Output(b.Op("Sigmoid", {b.Op("Add", {b.Conv(b.x, 2), b.Conv(b.x, 3)})}));
  ExpectCompiles(b.graph, 2);
}

Test(fuse_residual_add, an_activation_before_the_sum_comes_first) {
  Images b;
  b.Output(b.Op("Relu", {b.Op("Add", {b.x, b.Op("Tanh", {b.Conv(b.x, 2)})})}));
  ExpectCompiles(b.graph, 1);
}

Test(fuse_residual_add, the_other_may_be_made_after_the_conv) {
  Images b;
  const ValueId conv = b.Conv(b.x, 2);
  b.Output(b.Op("Add", {conv, b.Op("Neg", {b.x})}));
  ExpectCompiles(b.graph, 2);
}

Test(fuse_residual_add, a_conv_added_to_itself_stays) {
  Images b;
  const ValueId conv = b.Conv(b.x, 2);
  b.Output(b.Op("Add", {conv, conv}));
  ExpectCompiles(b.graph, 2);
}

Test(fuse_residual_add, stretched_tensors_stay) {
  Images b;
  b.Output(b.Op("Add", {b.Conv(b.x, 2), b.Op("ReduceMean", {b.x, b.Ints({2, 3})})}));
  ExpectCompiles(b.graph, 3);
}
