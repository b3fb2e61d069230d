// Tests of fold_qdq: what becomes integers, what stays float, and that the numbers are the same.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const std::vector<Tensor> kImage = {RandomTensor({1, 4, 5, 5}, 1)};

Tensor RandomIntegers(const Shape& shape, uint32_t seed) {
  const Tensor real = RandomTensor(shape, seed, -127, 127);
  return *Quantize(real, {.dtype = DType::kS8, .scales = {1}, .zero_points = {0}});
}

struct Images : GraphBuilder {
  ValueId x = Input("x", {1, 4, 5, 5});

  ValueId U8(ValueId in, float scale = 1.0f / 64) { return FakeQuantize<uint8_t>(in, scale, 128); }
  // Weights for 4 channels, one scale each.
  ValueId Weights(uint32_t seed) {
    return Op("DequantizeLinear",
              {Constant(RandomIntegers({4, 4, 1, 1}, seed)),
               Constant(TensorOf<float>({4}, {0.01f, 0.02f, 0.005f, 0.001f})),
               Constant(TensorOf<int8_t>({4}, {0, 0, 0, 0}))},
              Attr("axis", int64_t{0}));
  }
  ValueId Conv(ValueId in, uint32_t seed) { return Op("Conv", {in, Weights(seed)}); }
};

// Compiles, compares, and expects `nodes` nodes, of which `integer` compute with integers.
Graph Expect(const Graph& graph, size_t nodes, int64_t integer,
             const std::vector<Tensor>& inputs = kImage) {
  const Graph compiled = Compiled(graph, inputs);
  const int64_t found = std::ranges::count_if(compiled.nodes, [&](const Node& node) {
    return compiled.value(node.inputs[0]).qparams != nullptr && !node.op->Has(kDequantize);
  });
  cr_expect_eq(compiled.nodes.size(), nodes, "%s", Print(compiled).c_str());
  cr_expect_eq(found, integer, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, inputs);
  return compiled;
}

}  // namespace

Test(fold_qdq, a_conv_between_pairs_becomes_integer) {
  Images b;
  b.Output(b.U8(b.Conv(b.U8(b.x), 2)));
  const Graph compiled = Expect(b.graph, 3, 1);  // Q, Conv, DQ
  const Node& conv = compiled.nodes[1];
  cr_expect_eq(compiled.value(conv.inputs[1]).dtype, DType::kS8);
  cr_expect_eq(compiled.value(conv.inputs[1]).qparams->axis, 0);
  cr_expect_eq(compiled.value(conv.outputs[0]).dtype, DType::kU8);
}

Test(fold_qdq, without_a_quantize_behind_it_a_conv_writes_floats) {
  Images b;
  b.Output(b.Conv(b.U8(b.x), 2));
  const Graph compiled = Expect(b.graph, 2, 1);
  cr_expect_eq(compiled.value(compiled.outputs[0]).dtype, DType::kF32);
}

Test(fold_qdq, a_conv_with_float_weights_stays) {
  Images b;
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), b.Constant(RandomTensor({4, 4, 1, 1}, 2))})));
  Expect(b.graph, 5, 0);
}

Test(fold_qdq, a_bias_in_32_bits_is_read_as_it_is) {
  Images b;
  const ValueId bias = b.Op("DequantizeLinear",
                            {b.Constant(TensorOf<int32_t>({4}, {100, -200, 300, 40000})),
                             b.Constant(TensorOf<float>({4}, {1e-3f, 2e-3f, 3e-3f, 4e-5f}))},
                            Attr("axis", int64_t{0}));
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), b.Weights(2), bias})));
  const Graph compiled = Expect(b.graph, 3, 1);
  cr_expect_eq(compiled.value(compiled.nodes[1].inputs[2]).dtype, DType::kS32);
}

Test(fold_qdq, a_float_bias_will_do) {
  Images b;
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), b.Weights(2), b.Constant(RandomTensor({4}, 3))})));
  Expect(b.graph, 3, 1);
}

Test(fold_qdq, a_computed_bias_keeps_the_conv_in_float) {
  Images b;
  const ValueId bias = b.Input("bias", {4});
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), b.Weights(2), bias})));
  Expect(b.graph, 5, 0, {kImage[0], RandomTensor({4}, 3)});
}

Test(fold_qdq, scales_along_another_axis_keep_the_conv_in_float) {
  Images b;
  const ValueId w = b.Op("DequantizeLinear",
                         {b.Constant(RandomIntegers({4, 4, 1, 1}, 2)),
                          b.Constant(TensorOf<float>({4}, {0.01f, 0.02f, 0.005f, 0.001f}))},
                         Attr("axis", int64_t{1}));
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), w})));
  Expect(b.graph, 5, 0);
}

Test(fold_qdq, residual_and_activation_ride_on_the_integer_conv) {
  Images b;
  const ValueId x = b.U8(b.x);
  const ValueId sum = b.Op("Add", {b.Conv(x, 2), x});
  b.Output(b.U8(b.Op("Relu", {sum})));
  const Graph compiled = Expect(b.graph, 3, 1);
  const Node& conv = compiled.nodes[1];
  cr_expect_eq(compiled.value(conv.inputs[static_cast<size_t>(conv.post_ops[0].input)]).dtype,
               DType::kU8);
}

Test(fold_qdq, before_a_curved_activation_the_residual_stays_float) {
  Images b;
  const ValueId x = b.U8(b.x);
  b.Output(b.U8(b.Op("Tanh", {b.Op("Add", {b.Conv(x, 2), x})})));
  const Graph compiled = Expect(b.graph, 4, 1);  // and the DQ of the residual
  const Node& conv = compiled.nodes[2];
  cr_expect_eq(compiled.value(conv.inputs[static_cast<size_t>(conv.post_ops[0].input)]).dtype,
               DType::kF32);
}

Test(fold_qdq, sums_of_pairs_with_different_scales_are_integer) {
  Images b;
  b.Output(b.U8(b.Op("Add", {b.U8(b.x, 0.5f), b.U8(b.Op("Neg", {b.x}), 0.25f)}), 0.125f));
  Expect(b.graph, 5, 1);
}

Test(fold_qdq, a_sum_with_one_float_side_stays_float) {
  Images b;
  b.Output(b.U8(b.Op("Add", {b.U8(b.x), b.Op("Neg", {b.x})})));
  Expect(b.graph, 6, 0);
}

Test(fold_qdq, a_number_is_an_integer_with_its_own_scale) {
  for (const float number : {-0.37f, 0.0f, 2.5f}) {
    Images b;
    b.Output(b.U8(b.Op("Mul", {b.U8(b.x), b.Float(number)})));
    Expect(b.graph, 3, 1);
  }
}

Test(fold_qdq, activations_alone_are_integer_to_integer) {
  Images b;
  b.Output(b.FakeQuantize<int8_t>(b.Op("Sigmoid", {b.U8(b.x)}), 1.0f / 256, -128));
  Expect(b.graph, 3, 1);
}

Test(fold_qdq, zeros_of_a_pad_become_zero_points) {
  Images b;
  const ValueId padded = b.Op("Pad", {b.U8(b.x), b.Ints({0, 0, 1, 1, 0, 0, 1, 1}), b.Float(0)});
  b.Output(b.U8(padded));
  const Graph compiled = Expect(b.graph, 3, 1);
  const Tensor* fill = compiled.ConstantOf(compiled.nodes[1].inputs[2]);
  cr_assert_neq(fill, nullptr);
  cr_expect_eq(fill->data<uint8_t>()[0], 128);
}

Test(fold_qdq, a_pad_between_pairs_goes_into_the_conv) {
  Images b;
  const ValueId padded = b.Op("Pad", {b.U8(b.x), b.Ints({0, 0, 1, 1, 0, 0, 1, 1}), b.Float(0)});
  b.Output(b.U8(b.Conv(b.U8(padded), 2)));
  Expect(b.graph, 3, 1);
}

Test(fold_qdq, a_fill_between_two_steps_stays_float) {
  Images b;
  const ValueId padded = b.Op("Pad", {b.U8(b.x), b.Ints({0, 0, 1, 1, 0, 0, 1, 1}), b.Float(0.01f)});
  b.Output(b.U8(padded));
  Expect(b.graph, 5, 0);
}

Test(fold_qdq, one_dequantize_serves_several_readers) {
  Images b;
  const ValueId x = b.U8(b.x);
  b.Output(b.U8(b.Conv(x, 2)));
  b.Output(b.U8(b.Conv(x, 3)));
  b.Output(b.Op("Neg", {x}));
  Expect(b.graph, 7, 2);
}

Test(fold_qdq, weights_with_two_meanings_are_two_constants) {
  Images b;
  const ValueId q = b.Constant(RandomIntegers({4, 4, 1, 1}, 2));
  const ValueId x = b.U8(b.x);
  b.Output(b.U8(b.Op("Conv", {x, b.Dequantize<int8_t>(q, 0.01f, 0)})));
  b.Output(b.U8(b.Op("Conv", {x, b.Dequantize<int8_t>(q, 0.02f, 0)})));
  Expect(b.graph, 5, 2);
}

Test(fold_qdq, an_activation_with_two_meanings_has_one_of_them) {
  Images b;
  const ValueId q = b.Quantize<uint8_t>(b.x, 0.01f, 128);
  b.Output(b.U8(b.Conv(b.Dequantize<uint8_t>(q, 0.01f, 128), 2)));
  b.Output(b.U8(b.Conv(b.Dequantize<uint8_t>(q, 0.02f, 128), 3)));
  Expect(b.graph, 7, 1);
}

Test(fold_qdq, a_sum_of_two_meanings_of_one_value_stays_float) {
  Images b;
  const ValueId q = b.Quantize<uint8_t>(b.x, 0.01f, 128);
  b.Output(b.U8(
      b.Op("Add", {b.Dequantize<uint8_t>(q, 0.01f, 128), b.Dequantize<uint8_t>(q, 0.02f, 128)})));
  Expect(b.graph, 6, 0);
}

Test(fold_qdq, integer_inputs_and_outputs_need_no_steps) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {1, 4, 5, 5}, DType::kU8);
  const ValueId w = b.Dequantize<int8_t>(b.Constant(RandomIntegers({4, 4, 1, 1}, 2)), 0.01f, 0);
  const ValueId conv = b.Op("Conv", {b.Dequantize<uint8_t>(x, 0.02f, 3), w});
  b.Output(b.Quantize<int8_t>(conv, 0.03f, -7));
  Tensor image = *Quantize(kImage[0], {.dtype = DType::kU8, .scales = {0.02f}, .zero_points = {3}});
  image.set_qparams(nullptr);
  Expect(b.graph, 1, 1, {image});
}

Test(fold_qdq, unsigned_weights_with_a_zero_point_fold) {
  Images b;
  const ValueId w = b.Constant(TensorOf<uint8_t>({1, 4, 1, 1}, {0, 100, 200, 255}));
  b.Output(b.U8(b.Op("Conv", {b.U8(b.x), b.Dequantize<uint8_t>(w, 0.01f, 117)})));
  Expect(b.graph, 3, 1);
}

Test(fold_qdq, sums_that_could_overflow_stay_float) {
  for (const int64_t depth : {66311, 66312}) {
    GraphBuilder b;
    const ValueId x = b.Input("x", {1, depth});
    const ValueId w = b.Dequantize<int8_t>(b.Constant(*Tensor::Make(DType::kS8, {depth, 1})), 1, 0);
    b.Output(b.Op("MatMul", {b.FakeQuantize<uint8_t>(x, 1, 0), w}));
    const std::vector<Tensor> inputs = {RandomTensor({1, depth}, 1)};
    const Graph compiled = Compiled(b.graph, inputs);
    const bool is_integer = compiled.value(compiled.nodes.back().inputs[0]).dtype == DType::kU8;
    cr_expect_eq(is_integer, depth == 66311);
  }
}

Test(fold_qdq, products_of_two_activations_are_integer) {
  GraphBuilder b;
  const ValueId x = b.FakeQuantize<uint8_t>(b.Input("x", {2, 3, 4}), 0.01f, 128);
  const ValueId y = b.FakeQuantize<uint8_t>(b.Input("y", {2, 4, 5}), 0.02f, 100);
  b.Output(b.Op("MatMul", {x, y}));
  Expect(b.graph, 3, 1, {RandomTensor({2, 3, 4}, 1), RandomTensor({2, 4, 5}, 2)});
}

Test(fold_dequantize, weights_of_float_operators_are_converted_once) {
  Images b;
  b.Output(b.Conv(b.x, 2));
  const Graph compiled = Expect(b.graph, 1, 0);
  cr_expect_eq(compiled.value(compiled.nodes[0].inputs[1]).dtype, DType::kF32);
}

Test(fold_dequantize, files_keep_the_integers) {
  Images b;
  b.Output(b.Conv(b.x, 2));
  cr_expect_eq(CountOps(Loaded(b.graph), "DequantizeLinear"), 1);
}
