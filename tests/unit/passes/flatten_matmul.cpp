// Tests of flatten_matmul.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-6, .absolute = 1e-6};  // the bias joins the sum
const std::vector<Tensor> kStack = {RandomTensor({2, 3, 4}, 1)};

struct Stack : GraphBuilder {
  ValueId x = Input("x", {kDynamic, kDynamic, 4});
  ValueId Product(ValueId in) { return Op("MatMul", {in, Constant(RandomTensor({4, 5}, 2))}); }
  ValueId Bias() { return Constant(RandomTensor({5}, 3)); }
};

Graph Expect(const Graph& graph, const std::vector<std::string_view>& ops) {
  const Graph compiled = Compiled(graph, kStack);
  std::vector<std::string_view> found;
  for (const Node& node : compiled.nodes) found.push_back(node.op->name);
  cr_expect(found == ops, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, kStack, kRounding);
  return compiled;
}

}  // namespace

Test(flatten_matmul, the_bias_rides_on_the_product_of_rows) {
  Stack b;
  b.Output(b.Op("Add", {b.Bias(), b.Product(b.x)}));
  Expect(b.graph, {"Reshape", "Gemm", "Reshape"});
}

Test(flatten_matmul, an_activation_rides_along) {
  Stack b;
  b.Output(b.Op("Sigmoid", {b.Op("Add", {b.Product(b.x), b.Bias()})}));
  Expect(b.graph, {"Reshape", "Gemm", "Reshape"});
}

Test(flatten_matmul, a_residual_of_the_same_shape_rides_along) {
  for (const bool residual_first : {false, true}) {
    Stack b;
    const ValueId residual =
        b.Op("Sin", {b.Op("MatMul", {b.x, b.Constant(RandomTensor({4, 5}, 4))})});
    const ValueId sum = b.Op("Add", {b.Product(b.x), b.Bias()});
    b.Output(residual_first ? b.Op("Add", {residual, sum}) : b.Op("Add", {sum, residual}));
    const Graph compiled = Compiled(b.graph, kStack);
    cr_expect_eq(CountOps(compiled, "Add"), 0, "%s", Print(compiled).c_str());
    cr_expect_eq(CountOps(compiled, "Gemm"), 1);
    ExpectSame(compiled, b.graph, kStack, kRounding);
  }
}

Test(flatten_matmul, a_residual_that_is_stretched_stays) {
  Stack b;
  const ValueId residual = b.Input("row", {5});
  b.Output(b.Op("Add", {residual, b.Op("Add", {b.Product(b.x), b.Bias()})}));
  const Graph compiled = Compiled(b.graph, {kStack[0], RandomTensor({5}, 5)});
  cr_expect_eq(CountOps(compiled, "Add"), 1);
}

Test(flatten_matmul, a_bias_along_the_rows_stays) {
  Stack b;
  b.Output(b.Op("Add", {b.Product(b.x), b.Constant(RandomTensor({3, 1}, 3))}));
  Expect(b.graph, {"MatMul", "Add"});
}

Test(flatten_matmul, a_product_that_others_read_stays) {
  Stack b;
  const ValueId product = b.Product(b.x);
  b.Output(b.Op("Add", {product, b.Bias()}));
  b.Output(b.Op("Neg", {product}));
  Expect(b.graph, {"MatMul", "Add", "Neg"});
}

Test(flatten_matmul, two_layers_lie_flat_from_end_to_end) {
  Stack b;
  const ValueId hidden = b.Op("Relu", {b.Op("Add", {b.Product(b.x), b.Bias()})});
  const ValueId product = b.Op("MatMul", {hidden, b.Constant(RandomTensor({5, 6}, 4))});
  b.Output(b.Op("Add", {product, b.Constant(RandomTensor({6}, 5))}));
  Expect(b.graph, {"Reshape", "Gemm", "Gemm", "Reshape"});
}

Test(flatten_matmul, integers_stay_integers) {
  Stack b;
  const ValueId x = b.FakeQuantize<uint8_t>(b.x, 1.0f / 64, 128);
  const ValueId w = b.Dequantize<int8_t>(
      b.Constant(TensorOf<int8_t>({4, 2}, {1, -2, 30, 40, 5, 6, -70, 80})), 0.01f, 0);
  const ValueId sum = b.Op("Add", {b.Op("MatMul", {x, w}), b.Constant(RandomTensor({2}, 3))});
  b.Output(b.FakeQuantize<uint8_t>(sum, 1.0f / 64, 128));
  const Graph compiled =
      Expect(b.graph, {"QuantizeLinear", "Reshape", "Gemm", "Reshape", "DequantizeLinear"});
  cr_expect_eq(compiled.value(compiled.nodes[2].inputs[0]).dtype, DType::kU8);
  cr_expect_eq(compiled.value(compiled.nodes[2].outputs[0]).dtype, DType::kU8);
}
