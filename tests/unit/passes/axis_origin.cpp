// Tests of AxisOrigin: which operators a selection passes, in front of which it stops.
#include "unit/passes/pull.h"

using namespace intmill;
using namespace intmill::test;

Test(axis_origin, scales_along_the_axis_block_and_along_another_do_not) {
  ExpectBlocked([](bool along) {
    Tokens b;
    const int64_t n = along ? kTokens : kWidth;
    const ValueId scales = b.Constant(RandomTensor({n}, 1, 0.01f, 0.02f));
    const Attributes axis = Attr("axis", int64_t{along ? 1 : 2});
    b.Output(b.Take(b.Op("QuantizeLinear", {b.x, scales}, axis), {0}));
    return b;
  });
}

Test(axis_origin, a_scale_that_is_measured_of_all_rows_blocks) {
  ExpectBlocked([](bool is_measured) {
    Tokens b;
    ValueId y = b.Op("Relu", {b.x});
    if (is_measured) {
      const std::vector<ValueId> made = {b.graph.AddValue("q"), b.graph.AddValue("scale"),
                                         b.graph.AddValue("zero_point")};
      b.graph.AddNode("measure", FindOp("DynamicQuantizeLinear"), {y}, made);
      y = made[0];
    }
    b.Output(b.Take(y, {0}));
    return b;
  });
}

Test(axis_origin, a_softmax_over_the_axis_blocks_and_over_another_does_not) {
  for (const char* op : {"Softmax", "LogSoftmax"}) {
    ExpectBlocked([&](bool own) {
      Tokens b;
      b.Output(b.Take(b.Op(op, {b.x}, Attr("axis", int64_t{own ? 1 : 2})), {0}));
      return b;
    });
    ExpectBlocked([&](bool flattens) {
      Tokens b;
      Attributes attrs = Attr("axis", int64_t{flattens ? 0 : 2});
      if (flattens) attrs = With(attrs, "flattens", int64_t{1});
      b.Output(b.Take(b.Op(op, {b.x}, attrs), {0}));
      return b;
    });
  }
}

Test(axis_origin, a_layer_norm_over_the_axis_blocks) {
  ExpectBlocked([](bool own) {
    Tokens b;
    const ValueId scale = b.Weight(own ? Shape{kTokens, kWidth} : Shape{kWidth});
    b.Output(
        b.Take(b.Op("LayerNormalization", {b.x, scale}, Attr("axis", int64_t{own ? 1 : 2})), {0}));
    return b;
  });
}

Test(axis_origin, a_mask_that_is_stretched_stays_and_one_with_rows_is_selected_too) {
  for (const bool has_rows : {false, true}) {
    Tokens b;
    const ValueId mask = b.Input("mask", {has_rows ? kTokens : 1, kWidth});
    b.Output(b.Take(b.Op("Add", {mask, b.Norm(b.x)}), {3}));
    const Graph pulled = Pull(b).graph;
    cr_expect_eq(CountOps(pulled, "Gather"), has_rows ? 2 : 1);
    const Node& sum = pulled.nodes.back();
    cr_assert_eq(sum.op->name, "Add");
    cr_expect_eq(sum.inputs[0] == mask, !has_rows);
  }
}

Test(axis_origin, operators_that_only_rename_or_turn_axes_are_passed) {
  Tokens b;
  ValueId y = b.Norm(b.x);
  y = b.Op("Unsqueeze", {y, b.Ints({0})});                                     // 1, 2, 6, 4
  y = b.Op("Transpose", {y}, Attr("perm", std::vector<int64_t>{2, 0, 1, 3}));  // 6, 1, 2, 4
  y = b.Op("Flatten", {y}, Attr("axis", int64_t{1}));                          // 6, 8
  y = b.Op("Reshape", {y, b.Ints({1, -1, 2, 4})});                             // 1, 6, 2, 4
  y = b.Op("Squeeze", {y, b.Ints({0})});                                       // 6, 2, 4
  y = b.Op("Identity", {y});
  b.Output(b.Take(y, {4, 1}, 0));
  ExpectOps(b, {"Gather", "LayerNormalization", "Reshape", "Transpose", "Reshape", "Reshape",
                "Reshape", "Reshape"});
}

Test(axis_origin, a_reshape_that_cuts_the_axis_blocks) {
  ExpectBlocked([](bool cuts) {
    Tokens b;
    const ValueId y = b.Op("Reshape", {b.x, b.Ints({2, cuts ? 4 : 6, cuts ? 6 : 4})});
    b.Output(b.Take(y, {0}));
    return b;
  });
}

Test(axis_origin, parts_of_a_concat_along_another_axis_are_selected_each) {
  ExpectBlocked([](bool along) {
    Tokens b;
    const ValueId other = b.Input("other", {2, kTokens, kWidth});
    b.Output(b.Take(b.Op("Concat", {b.x, other}, Attr("axis", int64_t{along ? 1 : 2})), {0}));
    return b;
  });
}

Test(axis_origin, rows_of_a_gemm_are_rows_of_a_and_of_a_c_that_has_them) {
  for (const Shape& c : {Shape{3}, Shape{1, 3}, Shape{kTokens, 3}, Shape{kTokens, 1}}) {
    GraphBuilder b;
    const ValueId a = b.Input("a", {kTokens, 5});
    const ValueId addend = b.Input("c", c);
    const ValueId w = b.Constant(RandomTensor({5, 3}, 1));
    b.Output(b.Op("Gather", {b.Op("Gemm", {a, w, addend}), b.Ints({2, 0})}));
    cr_expect_eq(CountOps(Pull(b).graph, "Gather"), c[0] == kTokens ? 2 : 1);
  }
  ExpectBlocked([](bool is_transposed) {
    GraphBuilder b;
    const ValueId a = b.Input("a", {5, 5});
    const ValueId w = b.Constant(RandomTensor({5, 3}, 1));
    const ValueId y = b.Op("Gemm", {a, w}, Attr("transA", int64_t{is_transposed}));
    b.Output(b.Op("Gather", {y, b.Ints({2, 0})}));
    return b;
  });
}
