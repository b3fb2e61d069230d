// Tests of pull_selection.
#include "unit/kernels/run.h"
#include "unit/passes/pull.h"

using namespace intmill;
using namespace intmill::test;

Test(pull_selection, a_slice_moves_and_keeps_its_arguments) {
  for (const int64_t step : {1, 2, -1}) {
    Tokens b;
    const ValueId y = b.Norm(b.Project(b.x));
    const bool backwards = step < 0;
    b.Output(b.Op("Slice", {y, b.Ints({backwards ? -1 : 1}), b.Ints({backwards ? -3 : 4}),
                            b.Ints({-2}), b.Ints({step})}));
    ExpectOps(b, {"Slice", "MatMul", "LayerNormalization"});
  }
}

Test(pull_selection, a_slice_of_two_axes_stays) {
  ExpectBlocked([](bool two) {
    Tokens b;
    const std::vector<int64_t> axes = two ? std::vector<int64_t>{1, 2} : std::vector<int64_t>{1};
    const std::vector<int64_t> ones(axes.size(), 1);
    const std::vector<int64_t> twos(axes.size(), 2);
    b.Output(b.Op("Slice", {b.Op("Relu", {b.x}), b.Ints(ones), b.Ints(twos), b.Ints(axes)}));
    return b;
  });
}

Test(pull_selection, negative_indices_count_from_the_end) {
  Tokens b;
  b.Output(b.Take(b.Norm(b.x), {-1, 0, -2}));
  const Pulled pulled = Pull(b);
  cr_assert(pulled.ops() == std::vector<std::string_view>({"Gather", "LayerNormalization"}));
  const Tensor* indices = pulled.graph.ConstantOf(pulled.graph.nodes[0].inputs[1]);
  cr_expect(*ToInts(*indices) == std::vector<int64_t>({5, 0, 4}));
}

Test(pull_selection, a_scalar_index_still_drops_the_axis_and_names_stay) {
  Tokens b;
  b.Output(b.TakeOne(b.Norm(b.Project(b.x)), -1));
  const std::string name = b.graph.value(b.graph.outputs[0]).name;
  ExpectOps(b, {"Gather", "MatMul", "LayerNormalization", "Reshape"});
  const Graph pulled = Pull(b).graph;
  cr_expect(pulled.value(pulled.outputs[0]).shape == Shape({2, kWidth}));
  cr_expect_eq(pulled.value(pulled.outputs[0]).name, name);
}

Test(pull_selection, two_readers_block) {
  ExpectBlocked([](bool others_read) {
    Tokens b;
    const ValueId y = b.Norm(b.x);
    b.Output(b.Take(y, {0}));
    if (others_read) b.Output(b.Op("Neg", {y}));
    return b;
  });
}

Test(pull_selection, two_ways_around_a_residual_become_one) {
  Tokens b;
  const ValueId y = b.Op("Sin", {b.x});
  b.Output(b.Take(b.Op("Add", {y, b.Project(b.Norm(y))}), {2}));
  ExpectOps(b, {"Gather", "Sin", "LayerNormalization", "MatMul", "Add"});
  Tokens square;
  const ValueId z = square.Op("Sin", {square.x});
  square.Output(square.Take(square.Op("Mul", {z, z}), {2}));
  ExpectOps(square, {"Gather", "Sin", "Mul"});
}

Test(pull_selection, an_output_of_the_graph_blocks) {
  ExpectBlocked([](bool is_output) {
    Tokens b;
    const ValueId y = b.Norm(b.x);
    b.Output(b.Take(y, {0}));
    if (is_output) b.Output(y);
    return b;
  });
}

Test(pull_selection, from_float_constants_rows_are_selected_and_quantized_ones_stay_whole) {
  ExpectBlocked([](bool is_quantized) {
    Tokens b;
    const Shape shape = {kTokens, kWidth};
    const ValueId position =
        is_quantized ? b.Dequantize<int8_t>(
                           b.Constant(TensorOf<int8_t>(shape, std::vector<int8_t>(24, 3))), 0.1f, 0)
                     : b.Weight(shape);
    b.Output(b.Take(b.Op("Add", {b.x, position}), {3}));
    return b;
  });
  Tokens b;
  b.Output(b.Take(b.Op("Add", {b.x, b.Weight({1, kTokens, kWidth})}), {3}));
  const Graph compiled = Compiled(b.graph, InputsOf(b.graph));
  cr_assert_eq(CountOps(compiled, "Gather"), 1, "%s", Print(compiled).c_str());
  const ValueId position = compiled.nodes.back().inputs[1];
  cr_assert_not_null(compiled.ConstantOf(position));
  cr_expect(compiled.value(position).shape == Shape({1, 1, kWidth}));
}

Test(pull_selection, most_of_an_axis_stays_where_it_is) {
  ExpectBlocked([](bool is_most) {
    Tokens b;
    const std::vector<int64_t> end = {is_most ? 4 : 3};
    b.Output(b.Op("Slice", {b.Norm(b.x), b.Ints({0}), b.Ints(end), b.Ints({1})}));
    return b;
  });
}

Test(pull_selection, an_index_outside_the_axis_is_left_for_the_run_to_refuse) {
  Tokens b;
  b.Output(b.Take(b.Norm(b.x), {kTokens - 1}));
  cr_expect_gt(Pull(b).moves, 0);
  b.graph.values[static_cast<size_t>(b.graph.nodes.back().inputs[1])].constant =
      TensorOf<int64_t>({1}, {kTokens});
  Graph graph = b.graph;
  cr_assert(InferShapes(graph).ok());
  const PassOptions options;
  PassContext context{options};
  cr_expect_eq(*PullSelection(graph, context), 0);
}

Test(pull_selection, it_does_not_come_between_a_product_and_what_that_takes_along) {
  ExpectBlocked([](bool of_columns) {
    Tokens b;
    const ValueId sum = b.Op("Add", {b.Project(b.x), b.Weight({kWidth})});
    b.Output(b.Take(b.Op("Relu", {sum}), {0}, of_columns ? 2 : 1));
    return b;
  });
}

Test(pull_selection, a_selection_follows_another_on_its_way) {
  Tokens b;
  b.Output(b.Take(b.Op("Abs", {b.Take(b.Norm(b.Project(b.x)), {1, 2})}), {0}, 0));
  ExpectOps(b, {"Gather", "Gather", "MatMul", "LayerNormalization", "Abs"});
}

namespace {

// A few operators, each of which reads what those before it made, and a selection behind them.
GraphBuilder RandomGraph(uint32_t seed) {
  Random r(seed);
  Tokens b;
  b.seed = seed * 100;
  std::vector<ValueId> made = {b.x};
  const auto any = [&] { return made[static_cast<size_t>(r.Int(0, std::ssize(made) - 1))]; };
  const int64_t nodes = r.Int(2, 9);
  for (int64_t i = 0; i < nodes; ++i) {
    const ValueId in = r.Chance() ? made.back() : any();
    switch (r.Int(0, 7)) {
      case 0:
        made.push_back(b.Op("Sigmoid", {in}));
        break;
      case 1:
        made.push_back(b.Op("Add", {any(), in}));
        break;
      case 2:
        made.push_back(b.Op("Mul", {in, b.Weight({r.Chance() ? kTokens : 1, 1})}));
        break;
      case 3:
        made.push_back(b.Project(in));
        break;
      case 4:
        made.push_back(b.Norm(in));
        break;
      case 5:
        made.push_back(b.FakeQuantize<uint8_t>(in, 0.05f, 100));
        break;
      case 6:
        made.push_back(b.Op("Softmax", {in}, Attr("axis", r.Int(0, 2))));
        break;
      default: {
        const std::vector<int64_t> order = {0, 2, 1};
        const ValueId scores =
            b.Op("MatMul", {in, b.Op("Transpose", {any()}, Attr("perm", order))});
        made.push_back(b.Op("MatMul", {scores, any()}));
      }
    }
  }
  const int64_t axis = r.Int(0, 2);
  const int64_t last = axis == 0 ? 1 : axis == 1 ? kTokens - 1 : kWidth - 1;
  b.Output(b.Take(made.back(), {r.Int(-last, last)}, axis));
  if (r.Int(0, 3) == 0) b.Output(any());
  return b;
}

}  // namespace

Test(pull_selection, random_graphs_compute_the_same_bits) {
  int64_t moved = 0;
  for (uint32_t seed = 1; seed <= 400; ++seed) moved += Pull(RandomGraph(seed)).moves > 0 ? 1 : 0;
  cr_expect_gt(moved, 100);
}
