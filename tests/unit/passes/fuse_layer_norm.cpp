// Tests of fuse_layer_norm.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};  // sums in doubles, in floats

struct Pieces {
  int64_t axis = -1;
  bool squares_by_mul = false;
  bool centers_twice = false;
  bool has_scale = true;
  bool has_bias = true;
};

Graph InPieces(const Pieces& p, ValueId* centered = nullptr) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 8});
  const auto mean = [&](ValueId of) { return b.Op("ReduceMean", {of, b.Ints({p.axis})}); };
  const ValueId c = b.Op("Sub", {x, mean(x)});
  const ValueId again = p.centers_twice ? b.Op("Sub", {x, mean(x)}) : c;
  const ValueId square =
      p.squares_by_mul ? b.Op("Mul", {again, again}) : b.Op("Pow", {again, b.Float(2)});
  const ValueId root = b.Op("Sqrt", {b.Op("Add", {mean(square), b.Float(1e-3f)})});
  ValueId y = b.Op("Div", {c, root});
  if (p.has_scale) y = b.Op("Mul", {b.Constant(RandomTensor({8}, 2)), y});
  if (p.has_bias) y = b.Op("Add", {y, b.Constant(RandomTensor({1, 8}, 3))});
  b.Output(y);
  if (centered != nullptr) b.Output(*centered = c);
  return b.graph;
}

// As TensorFlow has it: x * r + (bias - mean * r).
Graph InTensorFlowsPieces(bool is_swapped, int64_t axis = -1) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {kDynamic, 3, 8});
  const auto op = [&](const char* name, ValueId first, ValueId second) {
    return is_swapped ? b.Op(name, {second, first}) : b.Op(name, {first, second});
  };
  const ValueId mean = b.Op("ReduceMean", {x, b.Ints({axis})});
  const ValueId c = b.Op("Sub", {x, mean});
  const ValueId variance = b.Op("ReduceMean", {b.Op("Mul", {c, c}), b.Ints({axis})});
  const ValueId root = b.Op("Sqrt", {op("Add", variance, b.Float(1e-3f))});
  const ValueId r = op("Mul", b.Op("Reciprocal", {root}), b.Constant(RandomTensor({8}, 2)));
  const ValueId shift = b.Op("Sub", {b.Constant(RandomTensor({8}, 3)), op("Mul", mean, r)});
  b.Output(op("Add", op("Mul", x, r), shift));
  return b.graph;
}

}  // namespace

Test(fuse_layer_norm, tensorflows_pieces_become_one_operator_too) {
  for (const bool is_swapped : {false, true}) {
    const Graph graph = InTensorFlowsPieces(is_swapped);
    const Graph fused = Loaded(graph);
    cr_expect_eq(fused.nodes.size(), 1, "%s", Print(fused).c_str());
    cr_expect_eq(CountOps(fused, "LayerNormalization"), 1);
    ExpectSame(fused, graph, {RandomTensor({2, 3, 8}, 1)}, kRounding);
  }
  cr_expect_eq(CountOps(Loaded(InTensorFlowsPieces(false, 1)), "LayerNormalization"), 0);
}

Test(fuse_layer_norm, pieces_become_one_operator_in_every_form) {
  for (const Pieces& p :
       {Pieces{}, Pieces{.axis = 2}, Pieces{.squares_by_mul = true}, Pieces{.centers_twice = true},
        Pieces{.has_scale = false}, Pieces{.has_bias = false}}) {
    const Graph graph = InPieces(p);
    const Graph fused = Loaded(graph);
    cr_expect_eq(fused.nodes.size(), 1, "%s", Print(fused).c_str());
    cr_expect_eq(CountOps(fused, "LayerNormalization"), 1);
    ExpectSame(fused, graph, {RandomTensor({2, 3, 8}, 1)}, kRounding);
  }
}

Test(fuse_layer_norm, a_piece_that_others_read_stays) {
  ValueId centered = kNoValue;
  const Graph graph = InPieces({}, &centered);
  const Graph fused = Loaded(graph);
  cr_expect_eq(CountOps(fused, "LayerNormalization"), 1);
  cr_expect_eq(CountOps(fused, "Sub"), 1);
  ExpectSame(fused, graph, {RandomTensor({2, 3, 8}, 1)}, kRounding);
}

Test(fuse_layer_norm, means_over_another_axis_stay) {
  cr_expect_eq(CountOps(Loaded(InPieces({.axis = 1})), "LayerNormalization"), 0);
}
