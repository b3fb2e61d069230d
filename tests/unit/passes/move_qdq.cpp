// Tests of move_qdq.
#include "unit/passes/check.h"

using namespace intmill;
using namespace intmill::test;

namespace {

const std::vector<Tensor> kMatrix = {RandomTensor({4, 6}, 1)};
constexpr float kScale = 1.0f / 64;

struct Matrices : GraphBuilder {
  ValueId x = Input("x", {4, 6});
  ValueId Q(ValueId in, float scale = kScale) { return Quantize<uint8_t>(in, scale, 128); }
  ValueId Dq(ValueId in, float scale = kScale) { return Dequantize<uint8_t>(in, scale, 128); }
  ValueId Transposed(ValueId in) {
    return Op("Transpose", {in}, Attr("perm", std::vector<int64_t>{1, 0}));
  }
};

Graph Expect(const Graph& graph, size_t nodes) {
  const Graph compiled = Compiled(graph, kMatrix);
  cr_expect_eq(compiled.nodes.size(), nodes, "%s", Print(compiled).c_str());
  ExpectSame(compiled, graph, kMatrix);
  return compiled;
}

DType InputTypeOf(const Graph& graph, std::string_view op) {
  for (const Node& node : graph.nodes)
    if (node.op->name == op) return graph.value(node.inputs[0]).dtype;
  return DType::kNone;
}

}  // namespace

Test(move_qdq, a_dequantize_moves_behind_a_transpose) {
  Matrices b;
  b.Output(b.Op("Neg", {b.Transposed(b.Dq(b.Q(b.x)))}));
  cr_expect_eq(InputTypeOf(Expect(b.graph, 4), "Transpose"), DType::kU8);
}

Test(move_qdq, a_quantize_moves_in_front_of_a_transpose) {
  Matrices b;
  b.Output(b.Q(b.Transposed(b.Op("Neg", {b.x}))));
  cr_expect_eq(InputTypeOf(Expect(b.graph, 3), "Transpose"), DType::kU8);
}

Test(move_qdq, chains_move_in_integers_from_end_to_end) {
  Matrices b;
  const ValueId moved = b.Op("Reshape", {b.Transposed(b.Dq(b.Q(b.x))), b.Ints({2, 12})});
  b.Output(b.Dq(b.Q(moved)));
  Expect(b.graph, 4);  // Q, Transpose, Reshape, DQ
}

Test(move_qdq, the_same_pair_again_goes_away) {
  Matrices b;
  b.Output(b.Dq(b.Q(b.Dq(b.Q(b.x)))));
  Expect(b.graph, 2);
}

Test(move_qdq, another_scale_stays) {
  Matrices b;
  b.Output(b.Dq(b.Q(b.Dq(b.Q(b.x)), 0.25f), 0.25f));
  Expect(b.graph, 4);
}

Test(move_qdq, the_parts_of_a_concat_are_quantized_before_it) {
  Matrices b;
  const ValueId same = b.Dq(b.Q(b.Op("Neg", {b.x})));
  const ValueId other = b.Dq(b.Q(b.Op("Abs", {b.x}), 0.25f), 0.25f);
  const ValueId real = b.Op("Relu", {b.x});
  b.Output(b.Q(b.Op("Concat", {same, other, real}, Attr("axis", int64_t{0}))));
  cr_expect_eq(InputTypeOf(Expect(b.graph, 9), "Concat"), DType::kU8);
}

Test(move_qdq, both_halves_of_a_split_stay_integers) {
  Matrices b;
  const ValueId x = b.Dq(b.Q(b.x));
  const ValueId left = b.graph.AddValue("left");
  const ValueId right = b.graph.AddValue("right");
  b.graph.AddNode("split", FindOp("Split"), {x, b.Ints({2, 4})}, {left, right}).attrs =
      Attr("axis", int64_t{1});
  b.Output(b.Q(left));
  b.Output(b.Op("Neg", {right}));
  cr_expect_eq(InputTypeOf(Expect(b.graph, 4), "Split"), DType::kU8);
}

Test(move_qdq, twins_become_one) {
  Matrices b;
  const ValueId real = b.Op("Neg", {b.x});
  b.Output(b.Op("Relu", {b.Dq(b.Q(real))}));
  b.Output(b.Op("Abs", {b.Dq(b.Q(real))}));
  cr_expect_eq(CountOps(Expect(b.graph, 6), "QuantizeLinear"), 1);
}

Test(move_qdq, names_of_integer_outputs_stay) {
  Matrices b;
  const ValueId q = b.Q(b.x);
  b.Output(q);
  b.Output(b.Q(b.Dq(q)));
  ExpectSame(Compiled(b.graph, kMatrix), b.graph, kMatrix);
}

Test(move_qdq, constants_are_moved_once_and_for_all) {
  Matrices b;
  const ValueId w = b.Constant(TensorOf<uint8_t>({2, 6}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  const ValueId product = b.Op("MatMul", {b.Dq(b.Q(b.x)), b.Transposed(b.Dq(w))});
  b.Output(b.Q(product));
  const Graph compiled = Expect(b.graph, 2);
  cr_expect_eq(CountOps(compiled, "Transpose"), 0);
  cr_expect_eq(compiled.value(compiled.nodes[1].inputs[1]).dtype, DType::kU8);
}

Test(move_qdq, unsigned_and_signed_integers_of_one_meaning_are_rounded_once) {
  Matrices b;
  const ValueId u8 = b.Dq(b.Q(b.x));
  b.Output(b.Op("Neg", {b.FakeQuantize<int8_t>(u8, kScale, 0)}));
  Expect(b.graph, 3);  // Q, DQ, Neg
}

Test(move_qdq, integers_that_change_their_sign_before_an_output_are_read_as_they_are) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {4}, DType::kS8);
  b.Output(b.FakeQuantize<uint8_t>(b.Dequantize<int8_t>(x, kScale, -28), kScale, 100));
  const std::vector<Tensor> inputs = {TensorOf<int8_t>({4}, {-128, -28, 0, 127})};
  const Graph compiled = Compiled(b.graph, inputs);
  cr_expect_eq(compiled.nodes.size(), 1);
  ExpectSame(compiled, b.graph, inputs);
}

Test(move_qdq, other_zero_points_are_rounded_twice) {
  Matrices b;
  b.Output(b.Op("Neg", {b.FakeQuantize<int8_t>(b.Dq(b.Q(b.x)), kScale, 1)}));
  Expect(b.graph, 5);
}

// Linear layers as PyTorch exports them.
Test(move_qdq, scales_of_weights_move_with_their_axis) {
  for (const bool is_named : {false, true}) {
    Matrices b;
    const ValueId w =
        b.Constant(TensorOf<int8_t>({2, 6}, {1, 2, 3, 4, 5, 6, -7, 8, -9, 10, 11, 12}));
    const ValueId real = b.Op("DequantizeLinear",
                              {w, b.Constant(TensorOf<float>({2}, {0.5f, 0.01f})),
                               b.Constant(TensorOf<int8_t>({2}, {0, 0}))},
                              Attr("axis", int64_t{0}));
    const ValueId turned = is_named ? b.Transposed(real) : b.Op("Transpose", {real});
    b.Output(b.Q(b.Op("MatMul", {b.Dq(b.Q(b.x)), turned}), 0.25f));
    const Graph compiled = Expect(b.graph, 2);
    const Value& weights = compiled.value(compiled.nodes[1].inputs[1]);
    cr_expect_eq(weights.dtype, DType::kS8);
    cr_expect(*weights.shape == Shape({6, 2}));
    cr_expect_eq(weights.qparams->axis, 1);
  }
}
