// Tests of fold_bf16: products of numbers that were BF16 before they were widened.
#include "tensor/half.h"
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const PassOptions kHasBf16 = {.bf16_products = true};

struct Bf16 : GraphBuilder {
  ValueId Cast(ValueId x, int64_t to) { return Op("Cast", {x}, Attr("to", to)); }
  ValueId Widened(ValueId x) { return Cast(x, 1); }
  ValueId Rounded(ValueId x) { return Widened(Cast(x, 16)); }
  ValueId Weights(const Shape& shape, uint32_t seed) {
    return Widened(Constant(*ToBf16(RandomTensor(shape, seed))));
  }
};

// Casts of compiled graphs.
int64_t Casts(const Graph& graph) { return CountOps(graph, "Cast"); }

// Products of the compiled graph that read BF16 on both sides.
int64_t Folded(const Graph& graph) {
  return std::ranges::count_if(graph.nodes, [&](const Node& node) {
    return node.op->quant == QuantRule::kWeighted &&
           graph.value(node.inputs[0]).dtype == DType::kBf16 &&
           graph.value(node.inputs[1]).dtype == DType::kBf16;
  });
}

Graph ExpectFolded(const Graph& graph, const std::vector<Tensor>& inputs, int64_t products,
                   int64_t casts) {
  Graph compiled = Compiled(graph, inputs, kHasBf16);
  cr_expect_eq(Folded(compiled), products, "%s", Print(compiled).c_str());
  cr_expect_eq(Casts(compiled), casts, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, inputs);  // in the same order of summing: bit for bit
  return compiled;
}

}  // namespace

Test(fold_bf16, a_product_reads_what_it_was_rounded_to) {
  Bf16 b;
  b.Output(b.Op("MatMul", {b.Rounded(b.Input("x", {3, 4})), b.Weights({4, 5}, 2)}));
  ExpectFolded(b.graph, {RandomTensor({3, 4}, 1)}, 1, 1);
}

Test(fold_bf16, two_activations_are_multiplied_too) {
  Bf16 b;
  const ValueId x = b.Rounded(b.Input("x", {2, 3, 4}));
  b.Output(b.Op("MatMul", {x, b.Rounded(b.Input("y", {2, 4, 5}))}));
  ExpectFolded(b.graph, {RandomTensor({2, 3, 4}, 1), RandomTensor({2, 4, 5}, 2)}, 1, 2);
}

Test(fold_bf16, stacks_with_biases_hand_on_bf16_through_their_reshapes) {
  Bf16 b;
  ValueId x = b.Input("x", {2, 3, 4});
  x = b.Op("MatMul", {b.Rounded(x), b.Weights({4, 6}, 2)});
  x = b.Op("Relu", {b.Op("Add", {x, b.Constant(RandomTensor({6}, 3))})});
  x = b.Op("MatMul", {b.Rounded(x), b.Weights({6, 5}, 4)});
  b.Output(b.Op("Add", {x, b.Constant(RandomTensor({5}, 5))}));
  // The Cast of the input is the one that is left: the first product writes BF16.
  const Graph compiled = ExpectFolded(b.graph, {RandomTensor({2, 3, 4}, 1)}, 2, 1);
  cr_expect_eq(CountOps(compiled, "Gemm"), 2);
}

Test(fold_bf16, a_result_with_another_reader_stays_f32) {
  Bf16 b;
  const ValueId x = b.Op("MatMul", {b.Rounded(b.Input("x", {3, 4})), b.Weights({4, 4}, 2)});
  const ValueId y = b.Op("MatMul", {b.Rounded(x), b.Weights({4, 4}, 3)});
  b.Output(b.Op("Add", {x, y}));
  ExpectFolded(b.graph, {RandomTensor({3, 4}, 1)}, 2, 2);
}

Test(fold_bf16, a_convolution_brings_its_bias_activation_and_residual) {
  Bf16 b;
  const ValueId x = b.Input("x", {1, 4, 5, 5});
  const ValueId conv =
      b.Op("Conv", {b.Rounded(x), b.Weights({4, 2, 3, 3}, 2), b.Constant(RandomTensor({4}, 3))},
           With(Attr("pads", std::vector<int64_t>{1, 1, 1, 1}), "group", int64_t{2}));
  const ValueId sum = b.Op("Relu", {b.Op("Add", {conv, x})});
  b.Output(b.Op("Gemm", {b.Rounded(b.Op("Flatten", {sum})), b.Weights({100, 3}, 4)}));
  ExpectFolded(b.graph, {RandomTensor({1, 4, 5, 5}, 1)}, 2, 1);
}

Test(fold_bf16, weights_stay_in_bf16_when_a_model_is_loaded) {
  Bf16 b;
  b.Output(b.Op("MatMul", {b.Rounded(b.Input("x", {3, 4})), b.Weights({4, 5}, 2)}));
  const Graph loaded = Loaded(b.graph);
  cr_expect_eq(Casts(loaded), 3, "%s", Print(loaded).c_str());
}

Test(fold_bf16, without_kernels_for_it_the_graph_computes_in_floats) {
  Bf16 b;
  b.Output(b.Op("MatMul", {b.Rounded(b.Input("x", {3, 4})), b.Weights({4, 5}, 2)}));
  const std::vector<Tensor> inputs = {RandomTensor({3, 4}, 1)};
  const Graph compiled = Compiled(b.graph, inputs);
  cr_expect_eq(Folded(compiled), 0);
  cr_expect_eq(Casts(compiled), 2, "the weights were widened once");
  ExpectSame(compiled, b.graph, inputs);
}

Test(fold_bf16, what_is_f32_on_one_side_stays) {
  Bf16 b;
  const ValueId x = b.Input("x", {3, 4});
  const ValueId plain = b.Op("MatMul", {x, b.Weights({4, 5}, 2)});
  const ValueId other = b.Op("MatMul", {b.Rounded(x), b.Constant(RandomTensor({4, 5}, 3))});
  b.Output(b.Op("Add", {plain, other}));
  const std::vector<Tensor> inputs = {RandomTensor({3, 4}, 1)};
  const Graph compiled = Compiled(b.graph, inputs, kHasBf16);
  cr_expect_eq(Folded(compiled), 0, "%s", Print(compiled).c_str());
  ExpectSame(compiled, b.graph, inputs);
}

Test(fold_bf16, a_gemm_that_scales_its_product_stays) {
  Bf16 b;
  b.Output(
      b.Op("Gemm", {b.Rounded(b.Input("x", {3, 4})), b.Weights({4, 5}, 2)}, Attr("alpha", 0.5f)));
  const std::vector<Tensor> inputs = {RandomTensor({3, 4}, 1)};
  cr_expect_eq(Folded(Compiled(b.graph, inputs, kHasBf16)), 0);
}
