// Tests of fuse_attention.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

// A step of the output: weights have 16 bits, and the plain graph's are floats.
constexpr Tolerance kBytes{.absolute = 0.0051};

struct Attention {
  bool transposes = true;  // around the heads
  bool is_masked = true;
  bool output_is_quantized = true;
  int8_t value_zero_point = 0;
  bool others_read = false;     // the softmax
  bool keys_turn_last = false;  // by a Transpose of their own
};

ValueId Heads(GraphBuilder& b, ValueId x, const Attention& a, const std::vector<int64_t>& order) {
  return a.transposes ? b.Op("Transpose", {x}, Attr("perm", order)) : x;
}

// Two of batch, three heads; five queries of eight elements, six keys, values of seven elements.
Graph Make(const Attention& a) {
  GraphBuilder b;
  const ValueId q = b.FakeQuantize<uint8_t>(
      b.Input("q", a.transposes ? Shape{2, 5, 3, 8} : Shape{2, 3, 5, 8}), 0.01f, 100);
  const ValueId k = b.FakeQuantize<int8_t>(
      b.Input("k", a.transposes ? Shape{2, 6, 3, 8} : Shape{2, 3, 8, 6}), 0.01f, 0);
  const ValueId v =
      b.FakeQuantize<int8_t>(b.Input("v", a.transposes ? Shape{2, 6, 3, 7} : Shape{2, 3, 6, 7}),
                             0.01f, a.value_zero_point);
  const ValueId keys = a.keys_turn_last ? Heads(b, Heads(b, k, a, {0, 2, 1, 3}), a, {0, 1, 3, 2})
                                        : Heads(b, k, a, {0, 2, 3, 1});
  ValueId scores = b.Op("MatMul", {Heads(b, q, a, {0, 2, 1, 3}), keys});
  scores = b.Op("Div", {scores, b.Float(0.5f)});
  if (a.is_masked) scores = b.Op("Add", {scores, b.Constant(RandomTensor({2, 1, 1, 6}, 4))});
  const ValueId weights = b.Op("Softmax", {scores});
  const ValueId y = b.Op("MatMul", {weights, Heads(b, v, a, {0, 2, 1, 3})});
  ValueId out = Heads(b, y, a, {0, 2, 1, 3});
  if (a.output_is_quantized) out = b.FakeQuantize<uint8_t>(out, 0.005f, 128);
  b.Output(out);
  if (a.others_read) b.Output(weights);
  return b.graph;
}

// The fused graph, when it computes the same.
Graph Fused(const Attention& a) {
  const Graph graph = Make(a);
  Graph fused = Compiled(graph, InputsOf(graph));
  ExpectSame(fused, graph, InputsOf(graph), kBytes);
  return fused;
}

}  // namespace

Test(fuse_attention, two_products_and_the_transposes_around_them_become_one_node) {
  for (const bool is_masked : {false, true}) {
    for (const bool output_is_quantized : {false, true}) {
      const Graph fused =
          Fused({.is_masked = is_masked, .output_is_quantized = output_is_quantized});
      cr_expect_eq(CountOps(fused, "QuantizedAttention"), 1, "%s", Print(fused).c_str());
      for (const char* gone : {"MatMul", "Transpose", "Softmax", "MaskedSoftmax"})
        cr_expect_eq(CountOps(fused, gone), 0, "%s", Print(fused).c_str());
    }
  }
}

Test(fuse_attention, heads_that_lie_as_products_want_them_need_no_transposes) {
  const Graph fused = Fused({.transposes = false});
  cr_expect_eq(CountOps(fused, "QuantizedAttention"), 1, "%s", Print(fused).c_str());
}

Test(fuse_attention, keys_may_be_turned_by_a_transpose_of_their_own) {
  const Graph fused = Fused({.keys_turn_last = true});
  cr_expect_eq(CountOps(fused, "QuantizedAttention"), 1, "%s", Print(fused).c_str());
}

Test(fuse_attention, values_with_a_zero_point_and_weights_that_others_read_stay_apart) {
  for (const Attention& a : {Attention{.value_zero_point = 3}, Attention{.others_read = true}})
    cr_expect_eq(CountOps(Fused(a), "QuantizedAttention"), 0);
}

Test(fuse_attention, it_can_be_disabled) {
  const Graph graph = Make({});
  const Graph plain = Compiled(graph, InputsOf(graph), {.disabled = {"fuse_attention"}});
  cr_expect_eq(CountOps(plain, "QuantizedAttention"), 0);
  ExpectSame(plain, graph, InputsOf(graph), kBytes);
}
