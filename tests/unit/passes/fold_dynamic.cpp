// Tests of fold_dynamic: products whose input is measured in each run.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};

struct Dynamic : GraphBuilder {
  ValueId Measured(ValueId x) {
    const ValueId q = graph.AddValue("q");
    const ValueId scale = graph.AddValue("scale");
    const ValueId zero_point = graph.AddValue("zero_point");
    graph.AddNode("measure", FindOp("DynamicQuantizeLinear"), {x}, {q, scale, zero_point});
    return Op("DequantizeLinear", {q, scale, zero_point});
  }
  ValueId Weights(const Shape& shape) {
    const Tensor real = RandomTensor(shape, 2, -127, 127);
    const Tensor q =
        *intmill::Quantize(real, {.dtype = DType::kS8, .scales = {1}, .zero_points = {0}});
    return Dequantize<int8_t>(Constant(q), 0.01f, 0);
  }
};

void ExpectDynamic(const Graph& graph, const std::vector<Tensor>& inputs) {
  const Graph compiled = Compiled(graph, inputs);
  cr_expect_eq(CountOps(compiled, "DynamicMatMul"), 1, "%s", Print(compiled).c_str());
  cr_expect_eq(CountOps(compiled, "DequantizeLinear"), 0, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, inputs, kRounding);
}

}  // namespace

Test(fold_dynamic, a_product_of_matrices_is_integer) {
  Dynamic b;
  b.Output(b.Op("MatMul", {b.Measured(b.Input("x", {3, 4})), b.Weights({4, 5})}));
  ExpectDynamic(b.graph, {RandomTensor({3, 4}, 1)});
}

Test(fold_dynamic, gemm_brings_its_bias) {
  Dynamic b;
  b.Output(
      b.Op("Gemm",
           {b.Measured(b.Input("x", {3, 4})), b.Weights({5, 4}), b.Constant(RandomTensor({5}, 3))},
           Attr("transB", int64_t{1})));
  ExpectDynamic(b.graph, {RandomTensor({3, 4}, 1)});
}

Test(fold_dynamic, stacks_of_matrices_bring_theirs) {
  Dynamic b;
  const ValueId product = b.Op("MatMul", {b.Measured(b.Input("x", {2, 3, 4})), b.Weights({4, 5})});
  b.Output(b.Op("Relu", {b.Op("Add", {product, b.Constant(RandomTensor({5}, 3))})}));
  ExpectDynamic(b.graph, {RandomTensor({2, 3, 4}, 1)});
}

Test(fold_dynamic, float_weights_stay) {
  Dynamic b;
  b.Output(b.Op("MatMul", {b.Measured(b.Input("x", {3, 4})), b.Constant(RandomTensor({4, 5}, 2))}));
  const Graph compiled = Compiled(b.graph, {RandomTensor({3, 4}, 1)});
  cr_expect_eq(CountOps(compiled, "DynamicMatMul"), 0);
  ExpectSame(compiled, b.graph, {RandomTensor({3, 4}, 1)}, kRounding);
}
