// Tests of fold_weight_only: products and tables that read integers while activations stay floats.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

constexpr Tolerance kRounding{.relative = 1e-5, .absolute = 1e-5};

Tensor Nibbles(DType dtype, const Shape& shape, uint32_t seed) {
  Tensor t = *Tensor::Make(dtype, shape);
  std::mt19937 random(seed);
  for (int64_t i = 0; i < t.bytes(); ++i)
    t.mutable_data<uint8_t>()[i] = static_cast<uint8_t>(random());
  if (t.elements() % 2 != 0) t.mutable_data<uint8_t>()[t.bytes() - 1] &= 0xf;
  return t;
}

struct WeightOnly : GraphBuilder {
  // Blocks of 8 along `axis`, 0: one scale for each index of `axis`.
  ValueId Weights(DType dtype, const Shape& shape, int64_t axis, int64_t block, bool zero_points) {
    Shape scales = shape;
    if (block > 0)
      scales[static_cast<size_t>(axis)] = (shape[static_cast<size_t>(axis)] + block - 1) / block;
    else
      scales = {shape[static_cast<size_t>(axis)]};
    std::vector<ValueId> inputs = {Constant(Nibbles(dtype, shape, 5)),
                                   Constant(RandomTensor(scales, 6, 0.01f, 0.02f))};
    if (zero_points) inputs.push_back(Constant(Nibbles(dtype, scales, 7)));
    Attributes attrs = Attr("axis", axis);
    if (block > 0) attrs.Set("block_size", block);
    return Op("DequantizeLinear", std::move(inputs), std::move(attrs));
  }
};

void ExpectFolded(const Graph& graph, const std::vector<Tensor>& inputs, const char* op) {
  const Graph compiled = Compiled(graph, inputs);
  cr_expect_eq(CountOps(compiled, op), 1, "%s", Print(compiled).c_str());
  cr_expect_eq(CountOps(compiled, "DequantizeLinear"), 0, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, inputs, kRounding);
}

}  // namespace

Test(fold_weight_only, a_product_reads_4_bits_in_blocks) {
  for (const DType dtype : {DType::kS4, DType::kU4, DType::kS8, DType::kU8}) {
    for (const bool zero_points : {false, true}) {
      WeightOnly b;
      b.Output(
          b.Op("MatMul", {b.Input("x", {2, 3, 20}), b.Weights(dtype, {20, 5}, 0, 8, zero_points)}));
      ExpectFolded(b.graph, {RandomTensor({2, 3, 20}, 1)}, "WeightOnlyMatMul");
    }
  }
}

Test(fold_weight_only, a_gemm_brings_its_bias_activation_and_residual) {
  WeightOnly b;
  const ValueId gemm = b.Op("Gemm",
                            {b.Input("x", {3, 20}), b.Weights(DType::kS4, {6, 20}, 1, 8, true),
                             b.Constant(RandomTensor({6}, 3))},
                            Attr("transB", int64_t{1}));
  b.Output(b.Op("Add", {b.Op("Relu", {gemm}), b.Input("y", {3, 6})}));
  const std::vector<Tensor> inputs = {RandomTensor({3, 20}, 1), RandomTensor({3, 6}, 2)};
  ExpectFolded(b.graph, inputs, "WeightOnlyMatMul");
  cr_expect_eq(CountOps(Compiled(b.graph, inputs), "Add"), 0);
}

Test(fold_weight_only, a_product_with_a_bias_behind_it_is_one_step) {
  WeightOnly b;
  const ValueId product =
      b.Op("MatMul", {b.Input("x", {2, 3, 16}), b.Weights(DType::kS4, {16, 6}, 0, 8, false)});
  b.Output(b.Op("Relu", {b.Op("Add", {product, b.Constant(RandomTensor({6}, 3))})}));
  const std::vector<Tensor> inputs = {RandomTensor({2, 3, 16}, 1)};
  ExpectFolded(b.graph, inputs, "WeightOnlyMatMul");
  cr_expect_eq(CountOps(Compiled(b.graph, inputs), "Add"), 0);
}

Test(fold_weight_only, bytes_with_a_scale_for_each_column_are_read_as_they_are) {
  WeightOnly b;
  b.Output(b.Op("MatMul", {b.Input("x", {3, 20}), b.Weights(DType::kS8, {20, 6}, 1, 0, false)}));
  ExpectFolded(b.graph, {RandomTensor({3, 20}, 1)}, "WeightOnlyMatMul");
}

Test(fold_weight_only, a_table_is_read_by_rows) {
  for (const int64_t block : {0, 8}) {
    WeightOnly b;
    b.Output(b.Op("Gather", {b.Weights(DType::kS4, {7, 20}, block > 0 ? 1 : 0, block, true),
                             b.Input("ids", {2, 2}, DType::kS64)}));
    ExpectFolded(b.graph, {TensorOf<int64_t>({2, 2}, {0, 6, -1, 3})}, "WeightOnlyGather");
  }
}

Test(fold_weight_only, scales_along_the_sum_and_odd_blocks_are_widened_instead) {
  for (const int64_t block : {0, 12}) {
    WeightOnly b;
    b.Output(
        b.Op("MatMul", {b.Input("x", {3, 20}), b.Weights(DType::kS8, {20, 6}, 0, block, false)}));
    const std::vector<Tensor> inputs = {RandomTensor({3, 20}, 1)};
    const Graph compiled = Compiled(b.graph, inputs);
    cr_expect_eq(CountOps(compiled, "WeightOnlyMatMul"), 0);
    cr_expect_eq(CountOps(compiled, "DequantizeLinear"), 0);
    ExpectSame(compiled, b.graph, inputs, kRounding);
  }
}
