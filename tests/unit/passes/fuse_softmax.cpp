// Tests of fuse_softmax.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-6};  // x / 8 and x * 0.125

struct Attention {
  const char* scale = "Div";  // or "Mul", or "" for none
  Shape mask = {1, 1, 6, 5};  // empty: none
  bool mask_first = false;
  bool constant_mask = true;
  int64_t axis = -1;
  bool others_read = false;  // the sum
};

Graph Make(const Attention& a, ValueId* mask_input = nullptr) {
  GraphBuilder b;
  ValueId x = b.Input("x", {2, 3, 6, 5});
  if (*a.scale != '\0') x = b.Op(a.scale, {x, b.Float(8)});
  if (!a.mask.empty()) {
    const ValueId mask =
        a.constant_mask ? b.Constant(RandomTensor(a.mask, 2)) : b.Input("mask", a.mask);
    if (mask_input != nullptr) *mask_input = mask;
    x = a.mask_first ? b.Op("Add", {mask, x}) : b.Op("Add", {x, mask});
  }
  const ValueId y = b.Op("Softmax", {x});
  b.graph.nodes.back().attrs.Set("axis", a.axis);
  b.Output(y);
  if (a.others_read) b.Output(x);
  return b.graph;
}

// The nodes that are left, when the result is the same.
size_t NodesLeft(const Attention& a) {
  const Graph graph = Make(a);
  const Graph fused = Compiled(graph, InputsOf(graph));
  ExpectSame(fused, graph, InputsOf(graph), kRounding);
  return fused.nodes.size();
}

}  // namespace

Test(fuse_softmax, scale_and_mask_in_every_form_become_one_node) {
  for (const Attention& a :
       {Attention{}, Attention{.scale = "Mul"}, Attention{.scale = ""}, Attention{.mask = {}},
        Attention{.mask = {5}}, Attention{.mask = {2, 1, 1, 5}}, Attention{.mask = {2, 3, 6, 5}},
        Attention{.mask_first = true}, Attention{.mask = {2, 3, 6, 5}, .mask_first = true},
        Attention{.constant_mask = false}, Attention{.axis = 3}}) {
    const Graph graph = Make(a);
    const Graph fused = Compiled(graph, InputsOf(graph));
    cr_expect_eq(CountOps(fused, "MaskedSoftmax"), 1, "%s", Print(fused).c_str());
    cr_expect_eq(NodesLeft(a), 1, "%s", Print(fused).c_str());
  }
}

Test(fuse_softmax, what_does_not_stretch_along_whole_rows_stays) {
  cr_expect_eq(NodesLeft({.scale = "", .mask = {6, 1}}), 2);  // stretched along the row
  cr_expect_eq(NodesLeft({.axis = 2}), 3);                    // not along the last axis
  cr_expect_eq(NodesLeft({.scale = "", .others_read = true}), 2);
}

Test(fuse_softmax, a_mask_that_makes_the_sum_larger_stays) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 5});
  b.Output(b.Op("Softmax", {b.Op("Add", {x, b.Constant(RandomTensor({4, 5}, 2))})}));
  const std::vector<Tensor> inputs = {RandomTensor({1, 5}, 1)};
  const Graph fused = Compiled(b.graph, inputs);
  // x is the one that stretches.
  cr_expect_eq(CountOps(fused, "MaskedSoftmax"), 1, "%s", Print(fused).c_str());
  ExpectSame(fused, b.graph, inputs, kRounding);
}
