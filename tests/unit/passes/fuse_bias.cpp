// Tests of fuse_bias.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};  // sums in another order

// x -> Conv(3 channels to 4) -> Add(constant of this shape) -> y
Graph ConvThenAdd(const Shape& shape, bool has_bias) {
  GraphBuilder b;
  std::vector<ValueId> inputs = {b.Input("x", {kDynamic, 3, 5, 5}),
                                 b.Constant(RandomTensor({4, 3, 3, 3}, 2))};
  if (has_bias) inputs.push_back(b.Constant(RandomTensor({4}, 3)));
  b.Output(b.Op("Add", {b.Constant(RandomTensor(shape, 4)), b.Op("Conv", inputs)}));
  return b.graph;
}

}  // namespace

Test(fuse_bias, a_constant_for_each_channel_becomes_the_bias) {
  for (const bool has_bias : {false, true}) {
    const Graph graph = ConvThenAdd({1, 4, 1, 1}, has_bias);
    const Graph fused = Loaded(graph);
    cr_expect_eq(fused.nodes.size(), 1);
    ExpectSame(fused, graph, {RandomTensor({2, 3, 5, 5}, 1)}, kRounding);
  }
}

Test(fuse_bias, shapes_without_leading_ones_and_scalars_will_do) {
  for (const Shape& shape : {Shape{4, 1, 1}, Shape{1}, Shape{}}) {
    const Graph graph = ConvThenAdd(shape, false);
    const Graph fused = Loaded(graph);
    cr_expect_eq(fused.nodes.size(), 1);
    ExpectSame(fused, graph, {RandomTensor({2, 3, 5, 5}, 1)}, kRounding);
  }
}

Test(fuse_bias, constants_along_other_axes_stay) {
  for (const Shape& shape : {Shape{1, 1, 3, 1}, Shape{3}, Shape{2, 1, 1, 1}, Shape{1, 1, 4, 1, 1}})
    cr_expect_eq(Loaded(ConvThenAdd(shape, false)).nodes.size(), 2);
}

Test(fuse_bias, a_product_that_others_read_stays) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId conv = b.Op("Conv", {x, b.Constant(RandomTensor({4, 3, 3, 3}, 2))});
  b.Output(b.Op("Add", {conv, b.Constant(RandomTensor({4, 1, 1}, 4))}));
  b.Output(b.Op("Relu", {conv}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 3);
}

Test(fuse_bias, weights_that_others_read_keep_their_values) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 3, 5, 5});
  const ValueId w = b.Constant(RandomTensor({3, 3, 3, 3}, 2));
  const ValueId bias = b.Constant(RandomTensor({3}, 3));
  const ValueId first = b.Op("Add", {b.Op("Conv", {x, w, bias}), b.Float(1)});
  b.Output(b.Op("Conv", {first, w, bias}));
  const Graph fused = Loaded(b.graph);
  cr_expect_eq(fused.nodes.size(), 2);
  ExpectSame(fused, b.graph, {RandomTensor({1, 3, 5, 5}, 1)}, kRounding);
}

Test(fuse_bias, matmul_of_matrices_and_add_become_gemm) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 6});
  const ValueId product = b.Op("MatMul", {x, b.Constant(RandomTensor({6, 4}, 2))});
  b.Output(b.Op("Add", {product, b.Constant(RandomTensor({4}, 3))}));
  const Graph fused = Loaded(b.graph);
  cr_assert_eq(fused.nodes.size(), 1);
  cr_expect(fused.nodes[0].op->name == "Gemm");
  ExpectSame(fused, b.graph, {RandomTensor({3, 6}, 1)}, kRounding);
}

Test(fuse_bias, matmul_of_more_dimensions_stays) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 5, 6});
  const ValueId product = b.Op("MatMul", {x, b.Constant(RandomTensor({6, 4}, 2))});
  b.Output(b.Op("Add", {product, b.Constant(RandomTensor({4}, 3))}));
  cr_expect_eq(Loaded(b.graph).nodes.size(), 2);
}

Test(fuse_bias, gemm_that_scales_its_bias_stays) {
  for (const float beta : {1.0f, 2.0f}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {2, 6});
    const ValueId gemm = b.Op("Gemm", {x, b.Constant(RandomTensor({4, 6}, 2))},
                              With(Attr("transB", int64_t{1}), "beta", beta));
    b.Output(b.Op("Add", {gemm, b.Constant(RandomTensor({1, 4}, 3))}));
    const Graph fused = Loaded(b.graph);
    cr_expect_eq(fused.nodes.size(), beta == 1 ? 1 : 2);
    ExpectSame(fused, b.graph, {RandomTensor({2, 6}, 1)}, kRounding);
  }
}
