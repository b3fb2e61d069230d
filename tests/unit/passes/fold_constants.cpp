// Tests of fold_constants.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

Test(fold_constants, chains_of_constants_become_one) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2});
  const ValueId c = b.Op("Mul", {b.Float(2), b.Op("Add", {b.Float(3), b.Float(4)})});
  b.Output(b.Op("Add", {x, c}));
  const Graph folded = Loaded(b.graph);
  cr_expect_eq(folded.nodes.size(), 1);
  cr_expect_eq(folded.ConstantOf(folded.nodes[0].inputs[1])->values<float>()[0], 14.0f);
}

Test(fold_constants, an_output_may_become_a_constant) {
  GraphBuilder b;
  b.Input("x", {2});
  b.Output(b.Op("Add", {b.Float(3), b.Float(4)}));
  const Graph folded = Loaded(b.graph);
  cr_expect(folded.nodes.empty());
  cr_expect_neq(folded.ConstantOf(folded.outputs[0]), nullptr);
}

Test(fold_constants, results_above_the_limit_are_left_to_the_plan) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1024});
  const ValueId tiled = b.Op("Tile", {b.Constant(TensorOf<float>({1}, {1})), b.Ints({1024})});
  b.Output(b.Op("Add", {x, tiled}));
  cr_expect_eq(Loaded(b.graph, {.fold_limit_bytes = 4096}).nodes.size(), 1);
  cr_expect_eq(Loaded(b.graph, {.fold_limit_bytes = 4095}).nodes.size(), 2);
}

Test(fold_constants, all_folded_constants_share_a_budget) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1024});
  ValueId sum = x;
  for (int64_t i = 0; i < 6; ++i) {
    const ValueId one = b.Constant(TensorOf<float>({1}, {static_cast<float>(i)}));
    sum = b.Op("Add", {sum, b.Op("Tile", {one, b.Ints({1024})})});
  }
  b.Output(sum);
  cr_expect_eq(CountOps(Loaded(b.graph, {.fold_limit_bytes = 4096}), "Tile"), 2);
}

Test(fold_constants, shapes_of_static_values_are_constants) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 3});
  b.Output(b.Op("Shape", {x}));
  const Graph folded = Loaded(b.graph);
  cr_assert_neq(folded.ConstantOf(folded.outputs[0]), nullptr);
  cr_expect_eq(folded.ConstantOf(folded.outputs[0])->values<int64_t>()[1], 3);
}
