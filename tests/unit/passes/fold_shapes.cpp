// Tests of fold_shapes.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

Attributes Axis(int64_t axis) { return Attr("axis", axis); }

}  // namespace

Test(fold_shapes, dimensions_beside_an_unknown_one_are_known) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 4});
  b.Output(b.Op("Gather", {b.Op("Shape", {x}), b.Ints({2, 1})}));
  const Graph folded = Loaded(b.graph);
  const Tensor* dims = folded.ConstantOf(folded.outputs[0]);
  cr_assert_neq(dims, nullptr);
  cr_expect_eq(dims->values<int64_t>()[0], 4);
  cr_expect_eq(dims->values<int64_t>()[1], 3);
}

Test(fold_shapes, an_unknown_dimension_stays_unknown) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3});
  b.Output(b.Op("Gather", {b.Op("Shape", {x}), b.Ints({0})}));
  const Graph folded = Loaded(b.graph);
  cr_expect_eq(folded.ConstantOf(folded.outputs[0]), nullptr);
  ExpectSame(folded, b.graph, {RandomTensor({5, 3}, 1)});
}

// What exporters write for x.view(x.size(0), -1) when they know the rest.
Test(fold_shapes, a_reshape_that_keeps_the_batch_needs_no_arithmetic) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 4});
  const ValueId shape = b.Op("Shape", {x});
  const ValueId batch = b.Op(
      "Unsqueeze", {b.Op("Gather", {shape, b.Constant(*Tensor::Scalar(int64_t{0}))}), b.Ints({0})});
  const ValueId rest =
      b.Op("Mul", {b.Op("Gather", {shape, b.Ints({1})}), b.Op("Gather", {shape, b.Ints({2})})});
  b.Output(b.Op("Reshape", {x, b.Op("Concat", {batch, rest}, Axis(0))}));
  const Graph folded = Loaded(b.graph);
  cr_expect_eq(folded.nodes.size(), 1);
  cr_expect(*folded.value(folded.outputs[0]).shape == Shape({kDynamic, 12}));
  ExpectSame(folded, b.graph, {RandomTensor({5, 3, 4}, 1)});
}

Test(fold_shapes, two_unknown_dimensions_are_left_alone) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, kDynamic, 4});
  const ValueId y = b.Input("y", {kDynamic, kDynamic, 2, 2});
  b.Output(b.Op("Reshape", {y, b.Op("Shape", {x})}));
  const Graph folded = Loaded(b.graph);
  cr_expect_eq(folded.ConstantOf(folded.nodes.back().inputs[1]), nullptr);
  ExpectSame(folded, b.graph, {RandomTensor({5, 3, 4}, 1), RandomTensor({5, 3, 2, 2}, 2)});
}

Test(fold_shapes, arithmetic_with_an_unknown_dimension_is_unknown) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3});
  b.Output(b.Op("Mul", {b.Op("Shape", {x}), b.Ints({2})}));
  b.Output(b.Op("Gather", {b.Op("Mul", {b.Op("Shape", {x}), b.Ints({2})}), b.Ints({1})}));
  const Graph folded = Loaded(b.graph);
  cr_expect_eq(folded.ConstantOf(folded.outputs[0]), nullptr);
  cr_assert_neq(folded.ConstantOf(folded.outputs[1]), nullptr);
  cr_expect_eq(folded.ConstantOf(folded.outputs[1])->values<int64_t>()[0], 6);
  ExpectSame(folded, b.graph, {RandomTensor({5, 3}, 1)});
}
